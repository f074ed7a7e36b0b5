"""The rows of an index table, read one by one: a row that cannot be read is counted, and costs no other."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from rovervision.sources.exploration_rovers.index_label import MAX_ROW_BYTES, IndexLayout

NEEDED_COLUMNS: Final = frozenset({"PRODUCT_ID", "PLANET_DAY_NUMBER", "START_TIME"})
"""Without these a row tells nothing of use."""

_PRODUCT_ID: Final = re.compile(rb"[12][A-Z]\d{9}[A-Z]{3}[0-9A-Z#]{4}[A-Z]\d{4}[A-Z]\d[A-Z][0-9A-Z]")
_MAX_SOL_DIGITS: Final = 4


class IndexRow(NamedTuple):
    """A row: what it is chosen by, and all of its fields as they stand."""

    product_id: str
    """In upper case."""
    sol: int
    fields: list[bytes]


@dataclass
class RowCount:
    """What has become of the rows read so far."""

    readable: int = 0
    broken: int = 0


def split_row(line: bytes, layout: IndexLayout) -> list[bytes] | None:
    """Cut a row into its fields, quotes and padding kept; None where neither tabs nor bytes fit the label.

    Tabs go first: the archive's labels are one byte off in places, and some rows have lost padding at their end.
    """
    body = line.rstrip(b"\r\n")
    if len(body) > MAX_ROW_BYTES:
        return None
    fields = body.split(b"\t")
    if len(fields) == len(layout.places):
        return fields
    return [body[place] for place in layout.places] if len(body) >= layout.row_bytes else None


def read_rows(lines: Iterable[bytes], layout: IndexLayout, count: RowCount) -> Iterator[IndexRow]:
    """Yield the rows of an index, and count them. Blank lines are no rows."""
    at_product, at_sol = layout.first_fields["PRODUCT_ID"], layout.first_fields["PLANET_DAY_NUMBER"]
    for line in lines:
        fields = split_row(line, layout)
        if fields is None:
            count.broken += bool(line.strip())
            continue
        product_id, sol = fields[at_product].strip(b'" ').upper(), fields[at_sol].strip(b'" ')
        if _PRODUCT_ID.fullmatch(product_id) and sol.isdigit() and len(sol) <= _MAX_SOL_DIGITS:
            count.readable += 1
            yield IndexRow(product_id.decode("ascii"), int(sol), fields)
        else:
            count.broken += 1


def values_of(row: IndexRow, layout: IndexLayout) -> dict[str, str | list[str]]:
    """Return a row's values by column name, without quotes and padding; those of a column with items as a list."""
    texts = [field.decode("latin-1").strip('" ') for field in row.fields]
    values: dict[str, str | list[str]] = {}
    first = 0
    for column in layout.columns:
        n_items = len(column.places)
        values[column.name] = texts[first] if n_items == 1 else texts[first : first + n_items]
        first += n_items
    return values


def record_of(values: dict[str, str | list[str]]) -> str:
    """Return a row's values as JSON."""
    return json.dumps(values, separators=(",", ":"))
