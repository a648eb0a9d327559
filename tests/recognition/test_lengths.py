"""How many characters a row has, as people write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlab.errors import UserError
from digitlab.recognition.lengths import LengthError, LengthRange


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("5", 5, 5),
        ("3-8", 3, 8),
        (" 3 - 8 ", 3, 8),
        ("3–8", 3, 8),
        ("3-", 3, None),
        ("-8", 1, 8),
        ("300", 300, 300),
    ],
)
def test_a_range_is_read_as_people_write_it(text: str, least: int, most: int | None) -> None:
    assert LengthRange.parse(text) == LengthRange(least, most)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("five", "expected a number of characters such as 5, 3-8, 3- or -8, received 'five'"),
        ("", "received ''"),
        ("-", "received '-'"),
        ("3 8", "received '3 8'"),
        ("3-8-9", "received '3-8-9'"),
        ("٣", "received"),
        ("0", "expected 1 to 300 characters, received 0"),
        ("301", "expected 1 to 300 characters, received 301"),
        ("9" * 5000, "expected 1 to 300 characters, received 999999999"),
        ("8-3", "expected the smaller number first, received 8-3; write 3-8"),
    ],
)
def test_nonsense_is_one_line_that_says_what_to_write(text: str, message: str) -> None:
    with pytest.raises(LengthError) as caught:
        LengthRange.parse(text)
    assert isinstance(caught.value, UserError)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.integers(1, 300), st.none() | st.integers(1, 300))
def test_what_a_range_says_of_itself_is_read_as_that_range(least: int, most: int | None) -> None:
    if most is not None and most < least:
        least, most = most, least
    assert LengthRange.parse(str(LengthRange(least, most))) == LengthRange(least, most)


def test_a_range_holds_its_ends() -> None:
    assert [length for length in range(10) if length in LengthRange(3, 5)] == [3, 4, 5]
    assert [length for length in range(10) if length in LengthRange(7, None)] == [7, 8, 9]
