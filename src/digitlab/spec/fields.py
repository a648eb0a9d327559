"""Constraints of fields; their error messages name the whole allowed range, whatever a value violates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, ValidationError, ValidatorFunctionWrapHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


def _expect(what: str, schema: CoreSchema) -> CoreSchema:
    """Replace the schema's own messages, which name only the limit that a value violates."""

    def validate(value: Any, inner: ValidatorFunctionWrapHandler) -> Any:
        try:
            return inner(value)
        except ValidationError:
            raise PydanticCustomError("expectation", "expected {what}", {"what": what}) from None

    return core_schema.no_info_wrap_validator_function(validate, schema)


@dataclass(frozen=True)
class IntRange:
    """An integer from `low` to `high`, both included."""

    low: int
    high: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = core_schema.int_schema(ge=self.low, le=self.high, strict=True)
        return _expect(f"a whole number from {self.low} to {self.high}", schema)


@dataclass(frozen=True)
class FloatRange:
    """A number from `low` to `high`; `above` excludes the lower end, `below` the upper end."""

    low: float
    high: float
    above: bool = False
    below: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = core_schema.float_schema(
            ge=None if self.above else self.low,
            gt=self.low if self.above else None,
            le=None if self.below else self.high,
            lt=self.high if self.below else None,
            strict=True,
            allow_inf_nan=False,
        )
        first = f"above {self.low:g}" if self.above else f"from {self.low:g}"
        last = f"below {self.high:g}" if self.below else f"up to {self.high:g}"
        return _expect(f"a number {first} {last}", schema)


@dataclass(frozen=True)
class Identifier:
    """A short name that is also valid as a file's name."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = core_schema.str_schema(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
        return _expect("a name of at most 64 small letters, digits and hyphens", schema)


@dataclass(frozen=True)
class Digest:
    """A SHA-256 in hexadecimal digits."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = core_schema.str_schema(pattern=r"^[0-9a-f]{64}$")
        return _expect("a SHA-256 of 64 hexadecimal digits", schema)


@dataclass(frozen=True)
class NoTable:
    """A single value of any type, or a list of such values, but not a table."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _expect("a number, a text, true, false or a list of these", handler(source))


@dataclass(frozen=True)
class Items:
    """A list of `low` to `high` values, both included."""

    low: int
    high: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def validate(values: tuple[Any, ...]) -> tuple[Any, ...]:
            if not self.low <= len(values) <= self.high:
                raise ValueError(f"expected {self.low} to {self.high} values, received {len(values)}")
            return values

        return core_schema.no_info_after_validator_function(validate, handler(source))


Name = Annotated[str, Identifier()]
Sha256 = Annotated[str, Digest()]
