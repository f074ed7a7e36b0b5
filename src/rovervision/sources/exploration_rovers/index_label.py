"""The label of a PDS3 index table: which column stands where in a row."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Final

from rovervision.errors import RovervisionError

_COMMENT: Final = re.compile(r"/\*[^\n]*?\*/")
_STATEMENT: Final = re.compile(
    r"^[ \t]*(?P<key>\^?[A-Z][A-Z0-9_:]*)[ \t]*=\s*(?P<value>\"[^\"]*\"|[^\s\"]+)", re.MULTILINE
)
_MAX_ITEMS: Final = 1000
MAX_ROW_BYTES: Final = 1 << 16
"""Longest row that is believed; those of MER indices have less than a thousand bytes."""


@dataclass(frozen=True)
class IndexColumn:
    """One column: a name, and the bytes of each of its items, counted from 0."""

    name: str
    places: tuple[slice, ...]


@dataclass(frozen=True)
class IndexLayout:
    """The columns of an index in their order. An item of a column is one field of a row."""

    columns: tuple[IndexColumn, ...]

    @cached_property
    def places(self) -> tuple[slice, ...]:
        """The bytes of each field."""
        return tuple(chain.from_iterable(column.places for column in self.columns))

    @cached_property
    def first_fields(self) -> dict[str, int]:
        """The number of each column's first field, from 0."""
        first, numbers = 0, {}
        for column in self.columns:
            numbers[column.name] = first
            first += len(column.places)
        return numbers

    @cached_property
    def row_bytes(self) -> int:
        """Bytes up to the end of the last field."""
        return max(place.stop for place in self.places)


def parse_index_label(text: str, needed: frozenset[str], origin: str) -> IndexLayout:
    """Read the columns of an index table from its label (PDS3: START_BYTE counts from 1, ITEMS repeat).

    Args:
        text: The label.
        needed: Names of columns that must be there.
        origin: Where the label is from, for the error.

    Raises RovervisionError where a needed column is missing or what is said of a column cannot be.
    """
    columns = tuple(_column(values, origin) for values in _column_objects(text))
    if missing := needed - {column.name for column in columns}:
        raise RovervisionError(
            f"{origin} describes no column {', '.join(sorted(missing))}; it is not the label of a MER index. "
            "Check `exploration_rovers` among the archives' addresses."
        )
    return IndexLayout(columns)


def _column_objects(text: str) -> Iterator[dict[str, str]]:
    values: dict[str, str] | None = None
    for match in _STATEMENT.finditer(_COMMENT.sub(" ", text)):
        key, value = match["key"], match["value"].strip('"')
        if (key, value) == ("OBJECT", "COLUMN"):
            values = {}
        elif (key, value) == ("END_OBJECT", "COLUMN") and values is not None:
            yield values
            values = None
        elif values is not None:
            values[key] = value


def _column(values: dict[str, str], origin: str) -> IndexColumn:
    try:
        name, start, n_bytes = values["NAME"], int(values["START_BYTE"]) - 1, int(values["BYTES"])
        n_items = int(values.get("ITEMS", 1))
        item_bytes = int(values.get("ITEM_BYTES", n_bytes // n_items)) if n_items > 1 else n_bytes
        step_bytes = int(values.get("ITEM_OFFSET", item_bytes)) if n_items > 1 else n_bytes
    except (KeyError, ValueError, ZeroDivisionError) as error:
        raise RovervisionError(f"{origin} describes a column without a name or place: {values}.") from error
    end = start + n_items * step_bytes
    if start < 0 or not 1 <= n_items <= _MAX_ITEMS or not 1 <= item_bytes <= step_bytes or end > MAX_ROW_BYTES:
        raise RovervisionError(f"{origin} puts the column {name} where no row reaches: {values}.")
    return IndexColumn(name, tuple(slice(at, at + item_bytes) for at in range(start, end, step_bytes)))
