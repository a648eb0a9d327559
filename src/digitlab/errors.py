"""The errors that a user can cause, each one line: what was expected, what was received, what to do."""

from __future__ import annotations


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


class MissingExtraError(UserError):
    """An optional part of digitlab is not installed."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(
            f'{module} is not installed; it belongs to the extra [{extra}]: run  pip install ".[{extra}]"  '
            "in the clone"
        )


class TrainingError(DigitlabError):
    """A trial that could not be trained; the message is the reason kept with its result."""
