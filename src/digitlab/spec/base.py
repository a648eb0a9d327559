"""Base class of all specs: frozen, without unknown keys, and read from or written to TOML and JSON."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from reprlib import Repr
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from digitlab.errors import SpecError

# Steps that pydantic adds to the location of an error inside a union, each after the field of the union.
_UNION_STEPS = frozenset(
    {("model", "mlp"), ("model", "cnn"), ("model", "python"), ("recipe", "name"), ("recipe", "table")}
)

_EXPECTED = {
    "dict_type": "a table of settings",
    "invalid-json-value": "a number, a text, true, false, a list or a table",
    "model_attributes_type": "a table of settings",
    "model_type": "a table of settings",
    "recursion_depth_exceeded": "fewer tables inside each other",
    "tuple_type": "a list",
}

_SHOWN = Repr()
_SHOWN.maxstring = 80
_SHOWN.maxother = 80


class Spec(BaseModel):
    """A frozen, validated value; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def from_values(cls, values: Mapping[str, Any], source: str) -> Self:
        """Create from plain values, as `tomllib` and `json` return them.

        Args:
            values: values by field name, nested.
            source: origin of the values (a file, an option), with which error messages begin.

        Raises:
            SpecError: a value is missing, unknown or out of range; one line that names the field,
                what was expected and what was received.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise SpecError(f"{source}: {describe(error)}") from None

    @classmethod
    def from_toml(cls, text: str, source: str = "TOML") -> Self:
        """Read TOML text.

        Raises:
            SpecError: the text is not TOML, or its values are invalid.
        """
        try:
            values = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise SpecError(f"{source}: expected TOML: {error}") from None
        return cls.from_values(values, source)

    @classmethod
    def from_json(cls, text: str, source: str = "JSON") -> Self:
        """Read JSON text.

        Raises:
            SpecError: the text is not a JSON object, or its values are invalid.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SpecError(f"{source}: expected JSON: {error}") from None
        return cls.from_values(values, source)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields changed, without validation.

        What was computed from the fields and kept (`cached_property`) is not copied.

        Args:
            update: new values by field name.
            deep: whether nested values are copied, too.
        """
        copied = super().model_copy(update=update, deep=deep)
        kept = vars(copied)
        for name in kept.keys() - type(self).model_fields.keys():
            del kept[name]
        return copied

    def to_values(self) -> dict[str, Any]:
        """Return plain values (dict, list, str, int, float, bool), without the fields that are None."""
        return self.model_dump(mode="json", exclude_none=True)

    def to_toml(self) -> str:
        """Return TOML that `from_toml` reads back to an equal value."""
        import tomli_w

        return tomli_w.dumps(self.to_values())

    def to_json(self) -> str:
        """Return JSON with sorted keys, so that equal values have equal text."""
        return json.dumps(self.to_values(), sort_keys=True, separators=(",", ":"))


def describe(error: ValidationError) -> str:
    """Describe the first error of a validation in one line.

    Args:
        error: error raised by pydantic.

    Returns:
        Text of the form "field.name: expected ..., received ...".
    """
    fault = error.errors(include_url=False)[0]
    field = ".".join(_steps(fault["loc"]))
    received = shown(fault["input"])
    match fault["type"]:
        case "extra_forbidden":
            text = f"{field}: there is no such setting; check the spelling"
        case "missing":
            text = f"{field}: this setting is missing; add it"
        case "union_tag_not_found":
            text = f"{field}.family: this setting is missing; add it"
        case "union_tag_invalid":
            context = fault.get("ctx", {})
            text = f"{field}.family: expected one of {context['expected_tags']}, received {context['tag']!r}"
        case "value_error":
            text = f"{field}: {fault['msg'].removeprefix('Value error, ')}"
        case kind if kind in _EXPECTED:
            text = f"{field}: expected {_EXPECTED[kind]}, received {received}"
        case _:
            text = f"{field}: {fault['msg'].replace('Input should be', 'expected')}, received {received}"
    return text.removeprefix(": ")


def shown(value: object) -> str:
    """Return the `repr` of a value, shortened for a message."""
    try:
        return _SHOWN.repr(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        return "a number of thousands of digits"


def _steps(location: tuple[int | str, ...]) -> Iterator[str]:
    before: int | str = ""
    for step in location:
        if (before, step) not in _UNION_STEPS:
            yield str(step)
        if before == "overrides":
            return  # what follows are pydantic's names for the types in a table
        before = step
