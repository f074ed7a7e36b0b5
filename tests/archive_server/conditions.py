"""The conditions of the feeds' queries: `<value>:<field>:<operator>`."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

Record = dict[str, Any]


def _same(held: Any, asked: str) -> bool:
    return held is not None and str(held) == asked


_OPERATORS: Final[dict[str, Callable[[Any, str], bool]]] = {
    "eq": _same,
    "noteq": lambda held, asked: not _same(held, asked),
    "gte": lambda held, asked: held is not None and held >= _like(held, asked),
    "lte": lambda held, asked: held is not None and held <= _like(held, asked),
    "lt": lambda held, asked: held is not None and held < _like(held, asked),
    "gt": lambda held, asked: held is not None and held > _like(held, asked),
    "in": lambda held, asked: any(_same(held, each) for each in asked.split(",")),
}


def conditions_of(parameters: dict[str, str]) -> list[str]:
    """Return the values of condition_1, condition_2 and so on."""
    return [value for key, value in parameters.items() if key.startswith("condition_") and value]


def held_by(condition: str, record: Record) -> bool:
    """Tell whether a record meets a condition; `<mission>:mission` has no operator. Values may hold colons."""
    parts = condition.rsplit(":", 2)
    if len(parts) == 2:
        return _same(record.get(parts[1]), parts[0])
    value, name, operator = parts
    held = record.get(name, record.get("extended", {}).get(name))
    return operator in _OPERATORS and _OPERATORS[operator](held, value)


def instruments_of(search: str) -> set[str]:
    """Return the instruments of a search: joined by |, with or without one more before and behind."""
    return {name for name in search.split("|") if name}


def in_order(records: Iterable[Record], order: str) -> list[Record]:
    """Sort by fields such as `sol desc,instrument_sort asc`, keeping the order of equals."""
    ordered = list(records)
    for each in reversed([part.split() for part in order.split(",") if part.strip()]):
        ordered.sort(key=partial(_sortable, each[0]), reverse=each[-1] == "desc")
    return ordered


def _sortable(name: str, record: Record) -> tuple[bool, Any]:
    held = record.get(name)
    return (held is not None, held) if held is not None else (False, 0)


def _like(held: Any, asked: str) -> Any:
    return type(held)(asked) if isinstance(held, int | float) else asked
