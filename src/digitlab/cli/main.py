"""The command `digitlab`: its subcommands, error messages and exit codes."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from digitlab.cli import data, doctor, evaluate, export, recognize, serve, study, train
from digitlab.cli.streams import ReaderGoneError, StdoutError, check_output
from digitlab.errors import DigitlabError, UserError, missing_extra

# 128 plus the signal's number, as shells report it.
INTERRUPTED = 130
TERMINATED = 143

app = typer.Typer(
    help="A laboratory for handwritten digits: train networks, run studies, write reports.",
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
        arguments: arguments after `digitlab`.

    Returns:
        The exit code: 0 on success, also if the reader of stdout closed it early; 1 for an internal error, a
        failed trial or an unwritable stdout; 2 for bad usage or input; 130 if interrupted; 143 if terminated.
    """
    signal.signal(signal.SIGTERM, _terminated)
    code = 0
    try:
        code = _answer(arguments)
        check_output()
    except ReaderGoneError:
        return code
    except StdoutError as error:
        return _explain(error)
    return code


def _answer(arguments: Sequence[str]) -> int:
    try:
        code = app(args=list(arguments), prog_name="digitlab", standalone_mode=False)
        return code if isinstance(code, int) else 0  # an int where a command exits early, as for --help
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except StdoutError:
        raise
    except Exception as error:
        if "--debug" in arguments:
            raise
        return _explain(_of_the_user(error) or error)


def _of_the_user(error: Exception) -> DigitlabError | None:
    """Convert an error that the user can fix, as of a missing library or file; None for an internal one."""
    if isinstance(error, ModuleNotFoundError):
        return missing_extra(error)
    if isinstance(error, OSError) and error.filename is not None:
        return UserError(f"{error.filename}: cannot be read or written: {error.strerror or error}")
    if isinstance(error, FileNotFoundError) and _is_nowhere():
        return UserError("the working directory no longer exists; change to another and run it again")
    if isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed":
        return UserError("expected names in UTF-8, received one in another encoding; rename it")
    return None


def _is_nowhere() -> bool:
    """Return whether the current folder was removed."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _explain(error: Exception) -> int:
    if isinstance(error, TyperException):
        text = getattr(error, "format_message", lambda: str(error))()
        if text.startswith("Usage:"):  # no command was given: this is the help, not an error
            typer.echo(text, err=True)
        else:
            _say(f"{text} Run  digitlab --help  for the commands.")
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
