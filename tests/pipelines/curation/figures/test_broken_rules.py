"""What a rule says of a frame is read back as it was meant."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.imaging.quality import Rule
from rovervision.pipelines.curation.figures.broken_rules import broken_rule

numbers = st.floats(-1e6, 1e6, allow_nan=False)


@given(value=st.one_of(numbers, st.just(math.nan)), limit=numbers, is_minimum=st.booleans())
def test_a_finding_is_read_back(value: float, limit: float, is_minimum: bool) -> None:
    rule = Rule(measure="contrast", **{"minimum" if is_minimum else "maximum": limit})
    finding = rule.finding(value)
    if finding is None:
        return
    broken = broken_rule(f"low_contrast: {finding}")
    assert broken is not None
    assert (broken.reason, broken.measure, broken.is_minimum) == ("low_contrast", "contrast", is_minimum)
    assert broken.limit == pytest.approx(limit, rel=1e-5, abs=1e-6)
    assert math.isnan(value) if math.isnan(broken.value) else broken.value == pytest.approx(value, rel=1e-3)
    assert broken.excess >= 0


def test_what_is_no_measure_is_no_broken_rule() -> None:
    for text in (
        "undecodable: the JPEG file is truncated",
        "exact_duplicate: the same bytes as f1",
        "",
        "a: b is below",
    ):
        assert broken_rule(text) is None


def test_the_demand_is_what_the_frame_should_have_been() -> None:
    below, above = broken_rule("a: green_log2 -0.7 is below -0.13"), broken_rule("b: aspect 9 is above 4")
    assert below is not None
    assert above is not None
    assert (below.demand, above.demand) == ("green_log2 ≥ −0.13", "aspect ≤ 4")
