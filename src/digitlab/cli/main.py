"""The command `digitlab`: its subcommands, its error lines and its exit codes."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from digitlab.cli import bench, data, doctor, evaluate, export, recognize, serve, study, train
from digitlab.cli.streams import OutputError, ReaderGoneError, check_output
from digitlab.errors import DigitlabError, missing_extra

INTERRUPTED = 130
TERMINATED = 143

app = typer.Typer(
    help="A laboratory for handwritten digits: train networks, run studies, read the evidence.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("export")(export.export)
app.command("recognize")(recognize.recognize)
app.add_typer(study.app, name="study")
app.add_typer(data.app, name="data")
app.add_typer(bench.app, name="bench")
app.command("serve")(serve.serve)
app.command("doctor")(doctor.doctor)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"digitlab {version('digitlab')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    pass  # both are acted on elsewhere: --version at once, --debug by `run`


def run(arguments: Sequence[str]) -> int:
    """Run the command line.

    Args:
        arguments: what follows `digitlab`.

    Returns:
        The exit code: 0 done, also where the reader of stdout has enough; 1 our own failure or a trial's, or
        stdout cannot be written; 2 bad usage or bad input; 130 interrupted; 143 terminated.
    """
    signal.signal(signal.SIGTERM, _terminated)
    try:
        code = _answer(arguments)
        check_output()
    except ReaderGoneError:
        return 0
    except OutputError as error:
        return _explain(error)
    return code


def _answer(arguments: Sequence[str]) -> int:
    try:
        code = app(args=list(arguments), prog_name="digitlab", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except OutputError:
        raise
    except Exception as error:
        if "--debug" in arguments:
            raise
        missing = missing_extra(error) if isinstance(error, ModuleNotFoundError) else None
        return _explain(missing or error)


def _explain(error: Exception) -> int:
    if isinstance(error, TyperException):
        text = getattr(error, "format_message", lambda: str(error))()
        if text.startswith("Usage:"):  # no command was given: this is the help, not an error
            typer.echo(text, err=True)
        else:
            _say(f"{text} Run  digitlab --help  for what there is.")
        return getattr(error, "exit_code", 2)
    if isinstance(error, DigitlabError):
        _say(str(error))
        return error.exit_code
    _say(f"internal error: {type(error).__name__}: {error}; run  digitlab --debug ...  for the traceback")
    return 1


def _say(text: str) -> None:
    print("digitlab: " + " ".join(text.splitlines()), file=sys.stderr)


def _terminated(*_: object) -> None:
    raise SystemExit(TERMINATED)
