"""Spacecraft clocks: known pairs, pairs that the tables do not hold, and how far off they may be."""

import csv
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.errors import RovervisionError
from rovervision.sources.mars_time import parse_utc, tt_s_of
from rovervision.sources.product_names import parse_product_name
from rovervision.sources.spacecraft_clocks import (
    _KNOWN,
    CLOCK_ERROR_S,
    _offset_s,
    _offsets,
    has_clock,
    sol_of_sclk,
    utc_of_sclk,
)

# None of these stands in the tables.
OTHERS = [
    ("spirit", 295663730.621, "2009-05-15T12:27:39.603", 1907),
    ("perseverance", 813154806.761, "2025-10-08T00:40:58.002", 1647),
    ("opportunity", 128287181.841, "2004-01-25T07:18:28Z", 1),
]


@pytest.mark.parametrize(("rover", "sclk_s", "utc", "sol"), OTHERS)
def test_other_labels_and_records(rover: str, sclk_s: float, utc: str, sol: int) -> None:
    assert abs(utc_of_sclk(rover, sclk_s) - parse_utc(utc)).total_seconds() < 3
    assert sol_of_sclk(rover, sclk_s) == sol


@pytest.mark.parametrize("rover", sorted(_KNOWN))
def test_known_pairs_are_met(rover: str) -> None:
    for sclk_s, utc in _KNOWN[rover]:
        assert abs(utc_of_sclk(rover, sclk_s) - parse_utc(utc)).total_seconds() < 1e-3
    assert list(_KNOWN[rover]) == sorted(_KNOWN[rover])
    assert has_clock(rover) and CLOCK_ERROR_S[rover] > 0


@pytest.mark.parametrize("rover", sorted(_KNOWN))
def test_no_pair_is_mistyped(rover: str) -> None:
    """A clock drifts by less than 2e-5, even between pairs that are weeks apart."""
    offsets = [(sclk_s, tt_s_of(parse_utc(utc)) - sclk_s) for sclk_s, utc in _KNOWN[rover]]
    for (start_s, start), (end_s, end) in pairwise(offsets):
        assert abs(end - start) / (end_s - start_s) < 2e-5


@pytest.mark.parametrize("rover", ["spirit", "curiosity", "perseverance"])
def test_pairs_left_out_are_reckoned_within_the_stated_error(rover: str) -> None:
    known = _offsets(rover)
    for place, (sclk_s, offset_s) in enumerate(known):
        assert abs(_offset_s(known[:place] + known[place + 1 :], sclk_s) - offset_s) < CLOCK_ERROR_S[rover]


@pytest.mark.parametrize(
    ("file_name", "sol"),
    [
        ("FLB_486265257EDR_F0481570FHAZ00323M_.JPG", 1000),
        ("FLB_666219749EDR_F0860978FHAZ00302M_.JPG", 3027),
        ("1n137056144ilf2002p1825r0m1.img.jpg", 100),
        ("1p457719328effcee1p2514l2m1.img.jpg", 3712),
        ("2n237528526sllaucmp1593l0m1.img", 1252),
        ("2p291489372xylb0ltp2356l2m1.img", 1860),
    ],
)
def test_sols_of_names_whose_folder_tells_them(file_name: str, sol: int) -> None:
    name = parse_product_name(file_name)
    assert name and name.sclk_s and sol_of_sclk(name.rover, name.sclk_s) == sol


@given(st.sampled_from(sorted(_KNOWN)), st.floats(1.2e8, 1e9), st.floats(1, 1e6))
def test_clocks_run_forward_at_nearly_the_right_rate(rover: str, sclk_s: float, gap_s: float) -> None:
    passed = (utc_of_sclk(rover, sclk_s + gap_s) - utc_of_sclk(rover, sclk_s)).total_seconds()
    leap_s = 1
    assert abs(passed - gap_s) <= 2e-5 * gap_s + leap_s + 1e-3


@pytest.mark.parametrize("rover", ["insight", "ingenuity", "unknown"])
def test_unknown_clocks_are_told(rover: str) -> None:
    assert not has_clock(rover)
    with pytest.raises(RovervisionError, match=f"`{rover}` is not known"):
        utc_of_sclk(rover, 6e8)


@pytest.mark.real
def test_sols_of_every_real_name(real_images: Path) -> None:
    with (real_images / "PROVENANCE.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["sol"]]
    told = [(parse_product_name(Path(row["path"]).name), int(row["sol"])) for row in rows]
    assert len(told) >= 25
    assert [sol_of_sclk(name.rover, name.sclk_s) for name, _ in told if name and name.sclk_s] == [
        sol for _, sol in told
    ]
