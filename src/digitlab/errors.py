"""The errors that a user can cause, each one line: what was expected, what was received, what to do."""

from __future__ import annotations

from pathlib import Path


class DigitlabError(Exception):
    """Base of errors with a message for the user; `exit_code` is the exit status of the command line."""

    exit_code = 1


class UserError(DigitlabError):
    """Wrong usage or input: the message names the file or field, the cause and the remedy."""

    exit_code = 2


class SpecError(UserError):
    """An invalid recipe, study or setting."""


class DataError(UserError):
    """Invalid data: a damaged file, a wrong shape, an unknown name."""


class ImageError(DataError):
    """A picture file that cannot be read safely.

    Attributes:
        accepted: whether the format is accepted; if not, the HTTP status is 415, else, for content that is
            damaged, truncated, empty or too large, 422.
    """

    def __init__(self, message: str, *, accepted: bool = True) -> None:
        super().__init__(message)
        self.accepted = accepted


class StoreError(UserError):
    """A result store that cannot be read or written."""


class BundleError(UserError):
    """A bundle that is incomplete, altered, or fails its self-test."""


class OutputError(UserError):
    """A file or folder that cannot be written, or would replace something that must stay."""


EXTRAS = {
    "train": ("keras", "tensorflow", "onnx", "tf2onnx", "scipy"),
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
    "sklearn": ("sklearn",),
    "mlflow": ("mlflow", "sqlalchemy", "alembic"),
}
"""Modules that each extra of the package installs."""


class MissingExtraError(UserError):
    """An optional part of digitlab is not installed."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(
            f"{module} is not installed; it belongs to the extra [{extra}]: run  {_install(extra)}"
        )


def missing_extra(error: ModuleNotFoundError) -> MissingExtraError | None:
    """Return the error that names the extra of a module not found; None where no extra installs it."""
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
    """A trial that could not be trained; the message is the reason stored with its result."""
