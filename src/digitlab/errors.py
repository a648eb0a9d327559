"""The errors that a user can cause, each one line: what was expected, what was received, what to do."""

from __future__ import annotations

from pathlib import Path


class DigitlabError(Exception):
    """A failure with a message for people; `exit_code` is what the command line returns for it."""

    exit_code = 1


class UserError(DigitlabError):
    """Bad usage or bad input: the message names the file or field, the cause and the cure."""

    exit_code = 2


class SpecError(UserError):
    """A recipe, study or setting that does not describe anything digitlab can run."""


class DataError(UserError):
    """Data that is not what it must be: a damaged file, a wrong shape, an unknown name."""


class ImageError(DataError):
    """A picture file that cannot be read safely.

    Attributes:
        accepted: False when the content is of no accepted format (HTTP 415), True when it is
            damaged, truncated, empty or too large (HTTP 422).
    """

    def __init__(self, message: str, *, accepted: bool = True) -> None:
        super().__init__(message)
        self.accepted = accepted


class StoreError(UserError):
    """A result store that cannot be read or written."""


class BundleError(UserError):
    """A bundle that is incomplete, altered, or fails its self-test."""


class OutputError(UserError):
    """A file or folder that cannot be written, or in whose place something lies that is to stay."""


EXTRAS = {
    "train": ("keras", "tensorflow", "onnx", "scipy"),
    "report": ("jinja2", "matplotlib"),
    "export": ("ai_edge_litert", "pyarrow", "tensorboard"),
    "serve": (
        "fastapi",
        "fastapi_offline",
        "httptools",
        "orjson",
        "prometheus_client",
        "python_multipart",
        "segno",
        "starlette",
        "uvicorn",
    ),
    "ray": ("ray",),
    "jax": ("jax",),
}
"""The modules that each extra of the package brings."""


class MissingExtraError(UserError):
    """An optional part of digitlab is not installed."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(
            f"{module} is not installed; it belongs to the extra [{extra}]: run  {_install(extra)}"
        )


def missing_extra(error: ModuleNotFoundError) -> MissingExtraError | None:
    """Say which extra brings a module that was not found; None where none does."""
    module = (error.name or "").partition(".")[0]
    for extra, modules in EXTRAS.items():
        if module in modules:
            return MissingExtraError(module, extra)
    return None


def _install(extra: str) -> str:
    clone = Path(__file__).parents[2]
    if (clone / "pyproject.toml").exists():
        return f'pip install -e ".[{extra}]"  in the clone, {clone}'
    return f'pip install "digitlab[{extra}]"'


class TrainingError(DigitlabError):
    """A trial that could not be trained; the message is the reason kept with its result."""
