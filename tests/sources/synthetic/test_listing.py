"""What the archive lists, and that a query gets exactly what it asks."""

import itertools
import re
from collections import Counter
from datetime import UTC, datetime
from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rovervision.sources.frame import Frame, MaskedSource, Query
from rovervision.sources.synthetic import SyntheticConfig, SyntheticSource
from rovervision.sources.synthetic.clocks import SOL_S, SOL_ZERO, clock_s, moment
from rovervision.sources.synthetic.defects import DEFECTS

SMALL = SyntheticSource(SyntheticConfig(frames_count=80, sols_count=5, image_px=64, seed=9))
ALL = list(SMALL.search(Query(name="all", source="synthetic")))


def test_it_is_a_masked_source():
    assert isinstance(SMALL, MaskedSource)


def test_default_archive_has_what_the_demo_needs(default_frames, truth):
    assert len(default_frames) == 360
    assert {frame.rover for frame in default_frames} == {"perseverance", "curiosity", "opportunity"}
    defects = Counter(kind for frame in default_frames for kind in truth(frame)["defects"])
    assert set(defects) == set(DEFECTS)
    assert min(defects.values()) >= 2
    assert 0.10 <= sum(defects.values()) / 360 <= 0.15
    usual = [frame for frame in default_frames if truth(frame)["mosaic_is_usual"]]
    assert len(usual) >= 10


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("frames_count", [1, 2, 37])
def test_count_is_exact_and_ids_unique(seed, frames_count):
    config = SyntheticConfig(frames_count=frames_count, sols_count=3, image_px=64, seed=seed)
    listed = list(SyntheticSource(config).search(Query(name="q", source="synthetic")))
    assert len({frame.frame_id for frame in listed}) == frames_count


@given(
    cameras=st.lists(st.sampled_from(sorted({f.camera for f in ALL})), max_size=3).map(tuple),
    bounds=st.tuples(st.none() | st.integers(90, 950), st.none() | st.integers(90, 950)),
    product_types=st.lists(st.sampled_from(sorted({f.product_type for f in ALL})), max_size=2).map(tuple),
    sample_types=st.lists(st.sampled_from(["full", "thumbnail", "subframe"]), max_size=2).map(tuple),
    name_pattern=st.none() | st.sampled_from(["NLF_*", "*.png", "*EDR*", "1F*", "nlf_*", "*"]),
    limit=st.none() | st.integers(1, 90),
)
@settings(max_examples=60, deadline=None)
def test_query_gets_exactly_what_it_asks(cameras, bounds, product_types, sample_types, name_pattern, limit):
    low, high = bounds if None in bounds else sorted(bounds)
    query = Query(
        name="asked",
        source="synthetic",
        cameras=cameras,
        sol_min=low,
        sol_max=high,
        product_types=product_types,
        sample_types=sample_types,
        name_pattern=name_pattern,
        limit=limit,
    )

    def fits(frame: Frame) -> bool:
        if cameras and frame.camera not in cameras:
            return False
        if low is not None and frame.sol < low:
            return False
        if high is not None and frame.sol > high:
            return False
        if product_types and frame.product_type not in product_types:
            return False
        if sample_types and frame.sample_type not in sample_types:
            return False
        return name_pattern is None or fnmatchcase(frame.file_name, name_pattern)

    wanted = [frame.frame_id for frame in ALL if fits(frame)][:limit]
    got = list(SMALL.search(query))
    assert [frame.frame_id for frame in got] == wanted
    assert all(frame.query == "asked" for frame in got)


def test_clock_utc_and_sol_agree():
    for frame in ALL:
        taken = datetime.fromisoformat(frame.taken_utc)
        assert taken.tzinfo == UTC
        assert clock_s(taken) == pytest.approx(frame.sclk_s, abs=2e-3)
        assert (taken - SOL_ZERO[frame.rover]).total_seconds() // SOL_S == frame.sol


def test_perseverance_sol_100_lies_where_the_mission_says():
    # From a client of the archive: sol 100 runs from 22:22 on May 31 to 23:01 (UTC, whole minutes) on June 1, 2021.
    for sol, told in ((100, "2021-05-31T22:22+00:00"), (101, "2021-06-01T23:01+00:00")):
        assert abs((moment("perseverance", sol, 0) - datetime.fromisoformat(told)).total_seconds()) < 120


def test_order_is_by_rover_and_clock():
    assert [(f.rover, f.sclk_s) for f in ALL] == sorted((f.rover, f.sclk_s) for f in ALL)


def test_a_rover_moves_on_every_few_sols(default_frames):
    for rover in ("perseverance", "curiosity"):
        places = {f.sol: int(f.site) for f in default_frames if f.rover == rover}
        steps = [places[sol] for sol in sorted(places)]
        assert steps == sorted(steps)
        assert len(set(steps)) >= 3
        assert max(len(list(group)) for _, group in itertools.groupby(steps)) <= 6


def test_light_changes_slowly_from_sol_to_sol(default_frames, truth):
    air = sorted({(f.sol, truth(f)["lighting"]["dust_depth"]) for f in default_frames if f.rover == "perseverance"})
    change = [abs(b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.pairwise(air)]
    assert len({depth for _, depth in air}) > 5
    assert max(change) < 0.06


def test_stereo_partners_name_each_other_and_share_the_clock(frames, truth):
    by_id = {frame.frame_id: frame for frame in frames}
    pairs = [(f, by_id[truth(f)["stereo_partner"]]) for f in frames if truth(f)["stereo_partner"]]
    assert len(pairs) > 10
    for one, other in pairs:
        assert truth(other)["stereo_partner"] == one.frame_id
        assert one.sclk_s == other.sclk_s
        assert {one.camera, other.camera} == {re.sub("left|right", eye, one.camera) for eye in ("left", "right")}
        assert truth(one)["scene"] == truth(other)["scene"]


def test_bursts_are_seconds_apart(default_frames, truth):
    bursts: dict[str, list[Frame]] = {}
    for frame in default_frames:
        if truth(frame)["burst"]:
            bursts.setdefault(truth(frame)["burst"], []).append(frame)
    assert len(bursts) >= 4
    for members in bursts.values():
        clocks = sorted(frame.sclk_s for frame in members)
        assert 1 < len(clocks) <= 3
        assert all(1.5 < b - a < 7 for a, b in itertools.pairwise(clocks))
        assert len({(frame.camera, truth(frame)["scene"]) for frame in members}) == 1


@pytest.mark.parametrize("wrong", [{"frames_count": 0}, {"defect_frac": 1.5}, {"image_px": 8}, {"colour": "red"}])
def test_wrong_config_is_refused(wrong):
    with pytest.raises(ValidationError):
        SyntheticConfig(**wrong)
