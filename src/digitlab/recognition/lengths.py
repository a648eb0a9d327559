"""How many characters a row has, where the asker knows it: a postal code, a meter, a mark."""

from __future__ import annotations

import re
from dataclasses import dataclass

from digitlab.errors import UserError

MOST_CHARACTERS = 300
"""Characters: no row that is read has more."""

_FORM = re.compile(r"(\d*)\s*([-–]?)\s*(\d*)", re.ASCII)


class LengthError(UserError):
    """A number of characters that no row can have."""


@dataclass(frozen=True)
class LengthRange:
    """How many characters a row may have, "?" for ink that is no digit among them.

    Attributes:
        least: the fewest, 1 or more.
        most: the most, at least `least` and at most 300; None where there is no upper end.

    Raises:
        LengthError: the ends lie outside their ranges or in the wrong order.
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
        """Read a range as people write it: "5", "3-8", "3-" (3 or more) or "-8" (8 at most).

        Raises:
            LengthError: the text is none of these, or names a length that no row has.
        """
        found = _FORM.fullmatch(text.strip())
        if not found or not (found[1] or found[3]) or (not found[2] and found[3]):
            raise LengthError(
                f"length: expected a number of characters such as 5, 3-8, 3- or -8, received {text[:40]!r}"
            )
        first, dash, last = (found[1][:9], found[2], found[3][:9])
        if not dash:
            return cls(int(first), int(first))
        return cls(int(first or 1), int(last) if last else None)

    def __contains__(self, length: int) -> bool:
        return self.least <= length and (self.most is None or length <= self.most)

    def __str__(self) -> str:
        if self.least == self.most:
            return str(self.least)
        return f"{self.least}-{self.most or ''}"
