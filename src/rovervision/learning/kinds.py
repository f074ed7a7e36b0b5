"""What is said where a kind is asked for that there is not."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any


def known_kind(kind: Any, kinds: Sequence[str]) -> Any:
    """Return the kind. Raises ValueError, for pydantic to pass on, with the nearest one or all where it is none."""
    if kind not in kinds:
        near = get_close_matches(str(kind), kinds, n=1, cutoff=0.5)
        raise ValueError(f"There is no such kind; did you mean {near[0]}" if near else f"Kinds are {', '.join(kinds)}")
    return kind
