"""Findings read back: which measure of a frame broke which limit, and by how much."""

import re
from typing import NamedTuple

_FINDING = re.compile(r"(?P<reason>\w+): (?P<measure>\w+) (?P<value>\S+) is (?P<side>below|above) (?P<limit>\S+)")


class BrokenRule(NamedTuple):
    """What `imaging.quality.Rule.finding` says of one frame."""

    reason: str
    measure: str
    value: float
    is_minimum: bool
    """True where the value must not be below the limit, False where not above."""
    limit: float

    @property
    def demand(self) -> str:
        """What the frame should have been, as `entropy_bits ≥ 4`."""
        return f"{self.measure} {'≥' if self.is_minimum else '≤'} {self.limit:g}".replace("-", "−")

    @property
    def excess(self) -> float:
        """How far the value lies beyond the limit; a missing value lies farthest."""
        return float("inf") if self.value != self.value else abs(self.value - self.limit)


def broken_rule(finding: str) -> BrokenRule | None:
    """Return what a finding says, None where it speaks of no measure. The rule may differ from frame to frame."""
    match = _FINDING.fullmatch(finding)
    if match is None:
        return None
    reason, measure, value, side, limit = match.groups()
    return BrokenRule(reason, measure, float(value), side == "below", float(limit))
