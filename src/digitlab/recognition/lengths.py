"""Known numbers of characters of a row, for instance of a postal code, a meter or a mark."""

from __future__ import annotations

import re
from dataclasses import dataclass

from digitlab.errors import UserError

MOST_CHARACTERS = 300
"""Largest number of characters of a row."""

_FORM = re.compile(r"(\d*)\s*([-–]?)\s*(\d*)", re.ASCII)


class LengthError(UserError):
    """A number of characters that no row can have, or a text that names none."""


@dataclass(frozen=True)
class LengthRange:
    """Range of the number of characters of a row; a "?" for ink that is not a digit counts as one.

    Attributes:
        least: smallest number of characters, 1 to 300.
        most: largest number of characters, `least` to 300; None if there is no upper limit.

    Raises:
        LengthError: a limit is outside its range, or the limits are in the wrong order.
    """

    least: int
    most: int | None

    def __post_init__(self) -> None:
        for end in (self.least, self.most):
            if end is not None and not 1 <= end <= MOST_CHARACTERS:
                raise LengthError(f"length: expected 1 to {MOST_CHARACTERS} characters, received {end}")
        if self.most is not None and self.most < self.least:
            raise LengthError(
                f"length: expected the smaller number first, received {self.least}-{self.most}; "
                f"write {self.most}-{self.least}"
            )

    @classmethod
    def parse(cls, text: str) -> LengthRange:
        """Parse a range as people write it: "5", "3-8", "3-" (3 or more) or "-8" (at most 8).

        Raises:
            LengthError: the text is none of these, or names a length that no row has.
        """
        match = _FORM.fullmatch(text.strip())
        first, dash, last = match.groups() if match else ("", "", "")
        has_number = first or last
        if not has_number or (last and not dash):
            raise LengthError(
                f"length: expected a number of characters such as 5, 3-8, 3- or -8, received {text[:40]!r}"
            )
        # Nine digits are more than any row has, and quickly converted.
        first, last = first[:9], last[:9]
        if not dash:
            return cls(int(first), int(first))
        return cls(int(first or 1), int(last) if last else None)

    def __contains__(self, length: int) -> bool:
        return self.least <= length and (self.most is None or length <= self.most)

    def __str__(self) -> str:
        if self.least == self.most:
            return str(self.least)
        return f"{self.least}-{self.most or ''}"
