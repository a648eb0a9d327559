"""The command line of `HandwrittenDigitRecognition.py`: options for functions that train, and for studies."""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from digitlab.cli.environment import prepare_environment
from digitlab.cli.main import INTERRUPTED
from digitlab.cli.main import run as run_digitlab
from digitlab.cli.streams import ReaderGoneError
from digitlab.errors import DigitlabError, MissingExtraError, UserError
from digitlab.files import ensure_folder
from digitlab.marks import Mark, replaced_by
from digitlab.spec import resolve_collection, resolve_study

COLLECTION = "classroom"

_WHOLE_NUMBERS = {
    "epochs": (1, 10_000, "passes over the training images"),
    "batch_size": (1, 55_000, "images of one step"),
    "neurons": (1, 16_384, "neurons of the hidden layer"),
    "kernel_size": (1, 27, "side of the filters, in pixels"),
    "seed": (0, 2**32 - 1, "another seed gives another network"),
    "seeds": (1, 1_000, "networks for each level of a study"),
}
"""Smallest and largest value of an option, and its help."""
_SEE_HELP = "--help lists what there is"
_LOSSES = ("crossentropy", "mse")

TrainFunctions = Mapping[str, Callable[..., Any]]
PredictFunction = Callable[[str, Sequence[str]], None]


def start_script(networks: TrainFunctions, predict: PredictFunction) -> NoReturn:
    """Prepare this process, do what its command line asks, and exit.

    Args:
        networks, predict: functions of the script, as in `run_script`.
    """
    prepare_environment()
    sys.exit(run_script(sys.argv[1:], networks, predict))


def run_script(arguments: Sequence[str], networks: TrainFunctions, predict: PredictFunction) -> int:
    """Do what the command line asks, and tell a user's mistake in one line.

    Args:
        arguments: arguments after the script's name.
        networks: functions that train a network, by name; the first is the default. Their docstring is the
            help, their parameters are the options that they take, and they save a picture to `plot`.
        predict: function that reads a picture, given its path and the names of networks.

    Returns:
        The exit code: 0 on success, also if the reader of stdout closed it early; 2 for bad usage or input;
        130 if interrupted.
    """
    try:
        return _do(arguments, networks, predict)
    except ReaderGoneError:
        return 0
    except DigitlabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted: what was not finished is not kept", file=sys.stderr)
        return INTERRUPTED


def _do(arguments: Sequence[str], networks: TrainFunctions, predict: PredictFunction) -> int:
    collection = resolve_collection(COLLECTION)
    studies = {COLLECTION: "All of the following studies, as one."}
    for name in collection.studies:
        studies[name] = resolve_study(name).question
    options, unknown = _parser(networks, studies).parse_known_args(arguments)
    given = {name: value for name, value in vars(options).items() if value is not None}
    name = given.pop("experiment", None)
    if unknown:
        raise UserError(f"expected one experiment and its options, received {unknown[0]}; {_SEE_HELP}")
    if name not in (None, *networks, *studies):
        raise UserError(f"expected {', '.join((*networks, *studies))}, received {name!r}; {_SEE_HELP}")
    if name in studies:
        _check_options(name, given, ["seeds"])
        seeds = [f"--seeds={given['seeds']}"] if given else []
        return run_digitlab(["study", "run", name, *seeds])
    if "predict" in given:
        _check_options("--predict", given, ["predict"])
        predict(given["predict"], [name] if name else list(networks))
        return 0
    name = name or next(iter(networks))
    train = networks[name]
    _check_options(name, given, [*inspect.signature(train).parameters, "no_plot"])
    plot = None if given.pop("no_plot", False) else Path(f"{name}.png")
    if plot and importlib.util.find_spec("matplotlib") is None:
        print(f"no plot is drawn: {MissingExtraError('matplotlib', 'report')}", file=sys.stderr)
        plot = None
    if plot:
        replaced_by(Mark("plot"), plot)  # refuses any file but a plot of ours
    ensure_folder(Path.cwd())  # before minutes of training, not after
    train(**given, plot=plot)
    return 0


def _check_options(name: str, given: Collection[str], allowed: Sequence[str]) -> None:
    """Raise an error for an option that the experiment does not have."""
    for option in given:
        if option not in allowed:
            flags = ", ".join(_flag(name) for name in allowed if name != "plot")
            raise UserError(
                f"{name}: expected no options but {flags}, received {_flag(option)}; leave it out"
            )


def _flag(option: str) -> str:
    return f"--{option.replace('_', '-')}"


class _Parser(argparse.ArgumentParser):
    """A parser that raises an error of one line, in place of printing the usage and exiting."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; {_SEE_HELP}")


def _parser(networks: TrainFunctions, studies: Mapping[str, str]) -> argparse.ArgumentParser:
    """Create the parser.

    Args:
        networks: functions that train a network, by name.
        studies: question of each study, by name.
    """
    summaries = {name: inspect.getdoc(function) for name, function in networks.items()}
    experiments = {**summaries, **studies}
    listed = "\n".join(f"  {name:20} {summary}" for name, summary in experiments.items())
    parser = _Parser(
        description="Train a network on handwritten digits and evaluate it, or run a study of many networks.",
        epilog=f"experiments:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    meaning = f"network to train, or study to run (default: {next(iter(networks))})"
    parser.add_argument("experiment", nargs="?", help=meaning)
    for name, (smallest, largest, meaning) in _WHOLE_NUMBERS.items():
        text = f"{meaning}{_defaults(name, networks)}"
        parser.add_argument(_flag(name), type=_whole_number(smallest, largest), metavar="N", help=text)
    meaning = f"number that training makes small{_defaults('loss', networks)}"
    parser.add_argument("--loss", choices=_LOSSES, help=meaning)
    parser.add_argument(
        "--no-plot", action="store_true", default=None, help="save no picture of the training"
    )
    parser.add_argument("--predict", metavar="FILE", help="read the digits in a picture; trains nothing")
    return parser


def _defaults(option: str, networks: TrainFunctions) -> str:
    """Return the default of an option as text in brackets, by network where they differ."""
    defaults = {}
    for name, function in networks.items():
        parameter = inspect.signature(function).parameters.get(option)
        if parameter is not None:
            defaults[name] = parameter.default
    if not defaults:
        return ""
    if len(defaults) == len(networks) and len(set(defaults.values())) == 1:
        return f" (default: {defaults.popitem()[1]})"
    return f" (default: {', '.join(f'{name} {value}' for name, value in defaults.items())})"


def _whole_number(smallest: int, largest: int) -> Callable[[str], int]:
    """Return a function that converts an option's text to a whole number in a range."""

    def convert(text: str) -> int:
        if not (text.isdecimal() and smallest <= int(text) <= largest):
            raise argparse.ArgumentTypeError(
                f"expected a whole number from {smallest:,} to {largest:,}, received {text!r}"
            )
        return int(text)

    return convert
