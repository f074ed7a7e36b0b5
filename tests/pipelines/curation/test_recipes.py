"""Recipes judge the frames that they are for, every frame is kept or told why not, and the shipped ones make sets."""

import math
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rovervision.errors import RovervisionError
from rovervision.imaging.decoding import to_uint8
from rovervision.imaging.planes import planes_of
from rovervision.imaging.quality import MEASURES, Rule, histogram_measures
from rovervision.pipelines.curation.config import CurationConfig
from rovervision.pipelines.curation.judging import NOT_IN_RECIPE, REPEATS, judged, nothing_left
from rovervision.pipelines.curation.nodes import examine_frames, judge_frames
from rovervision.pipelines.curation.recipes import FrameChoice
from rovervision.sources.frame import Query
from rovervision.sources.registry import IngestionConfig
from rovervision.sources.synthetic import SyntheticConfig, SyntheticSource
from tests.pipelines.curation.conftest import CONF, cut, fetched, overlaid, performed, read_config, split, stored

LISTED = {
    "file_name": "x.png",
    "query": "",
    "rover": "curiosity",
    "camera": "mastcam_left",
    "product_type": "E",
    "color_type": "color",
    "sample_type": "full",
    "filter": "",
    "version": "",
    "official_split": None,
    "not_examined": None,
    "examination_failure": None,
    "is_color": True,
}


def table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return examined frames; each row states what it does not share with all others."""
    measures = dict.fromkeys(MEASURES, 1.0)
    return pd.DataFrame(
        [{**LISTED, **measures, "frame_id": f"f{n}", "sha256": f"s{n}", **row} for n, row in enumerate(rows)]
    )


def reasons(frames: pd.DataFrame) -> dict[str, list[str]]:
    return dict(zip(frames["frame_id"], map(list, frames["reasons"]), strict=True))


# --- the law


def limits() -> st.SearchStrategy[float | None]:
    return st.none() | st.integers(0, 3).map(float)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    low, high = draw(limits()), draw(limits())
    if low is None and high is None:
        low = 1.0
    if low is not None and high is not None and low > high:
        low, high = high, low
    measure = draw(st.sampled_from(["entropy_bits", "contrast", "channels"]))
    return {"measure": measure, "minimum": low, "maximum": high, "color_only": draw(st.booleans())}


RULE_SETS = st.dictionaries(st.sampled_from("abc"), st.none() | rules(), max_size=3)
ROWS = st.fixed_dictionaries(
    {
        "query": st.sampled_from(["q0", "q1", "other"]),
        "camera": st.sampled_from(["left", "right"]),
        "sample_type": st.sampled_from(["full", "thumbnail"]),
        "is_color": st.booleans(),
        "not_examined": st.sampled_from([None, None, "undecodable"]),
        "sha256": st.sampled_from(["", "s", "t", "u"]),
        **{name: st.sampled_from([0.0, 1.0, 2.0, math.nan]) for name in ("entropy_bits", "contrast", "channels")},
    }
)
RECIPES = st.fixed_dictionaries(
    {
        "rules": RULE_SETS,
        "extends": st.sampled_from(["base", "none"]),
        "frames": st.sampled_from([{}, {"cameras": ["left"]}]),
        "rejected_sample_types": st.sampled_from([None, [], ["full"]]),
    }
)


def expected(row: Mapping[str, Any], config: CurationConfig) -> set[str]:
    """Return the reasons of a frame's own by the plain words of the documentation."""
    name = next((name for name, recipe in config.recipes.items() if row["query"] in recipe.queries), None)
    name = config.recipe or name
    chain = []
    while name in config.recipes:
        chain.append(config.recipes[name])
        name = config.recipes[name].extends
    wanted = {} if name == "none" else dict(config.rules)
    types = () if name == "none" else config.rejected_sample_types
    for recipe in reversed(chain):
        wanted |= recipe.rules
        types = types if recipe.rejected_sample_types is None else recipe.rejected_sample_types
    is_meant = not chain or not chain[0].frames.cameras or row["camera"] in chain[0].frames.cameras
    found = set() if is_meant else {NOT_IN_RECIPE}
    found |= {"sample_type"} if row["sample_type"] in types else set()
    if row["not_examined"]:
        return found | {row["not_examined"]}
    return found | ({reason for reason, rule in wanted.items() if is_broken(row, rule)} if is_meant else set())


def is_broken(row: Mapping[str, Any], rule: Rule | None) -> bool:
    if rule is None or (rule.color_only and not row["is_color"]):
        return False
    value = row[rule.measure]
    low = -math.inf if rule.minimum is None else rule.minimum
    high = math.inf if rule.maximum is None else rule.maximum
    return not low <= value <= high


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(ROWS, min_size=1, max_size=8),
    base=RULE_SETS,
    recipes=st.tuples(RECIPES, RECIPES),
    whole=st.sampled_from([None, "r0", "r1"]),
    second_extends_first=st.booleans(),
)
def test_every_frame_is_kept_or_has_all_its_failing_checks_and_counts_add_up(
    rows: list[dict[str, Any]], base: dict, recipes: tuple[dict, dict], whole: str | None, second_extends_first: bool
) -> None:
    named = {f"r{n}": {**recipe, "queries": [f"q{n}"]} for n, recipe in enumerate(recipes)}
    if second_extends_first:
        named["r1"]["extends"] = "r0"
    config = CurationConfig(rules=base, recipes=named, recipe=whole)
    frames = judged(table(rows), config)
    for row, kept, told, found in zip(rows, frames["kept"], frames["reasons"], frames["findings"], strict=True):
        assert set(told) - REPEATS == expected(row, config)
        assert kept == (not told)
        assert len(set(told)) == len(told) == len(found)
        assert [sentence.partition(": ")[0] for sentence in found] == list(told)
        for reason, sentence in zip(told, found, strict=True):
            if reason in "abc":
                assert re.search(r" (nan|\d+) is (above|below) \d", sentence)
    assert frames["kept"].sum() + (frames["reasons"].map(len) > 0).sum() == len(rows)
    passing = [row["sha256"] for row in rows if not expected(row, config)]
    known = [text for text in passing if text]
    assert frames["kept"].sum() == len(set(known)) + len(passing) - len(known)


# --- frames and versions


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"rovers": ["curiosity"], "cameras": ["mastcam_right", "mastcam_left"]}, None),
        ({"cameras": ["mahli"]}, "camera is mastcam_left, not mahli"),
        ({"rovers": ["spirit"], "filters": ["4", "5"]}, "rover is curiosity, not spirit, filter is , not 4 or 5"),
        ({"product_types": ["I"]}, "product_type is E, not I"),
        ({"color_types": ["gray"]}, "color_type is color, not gray"),
        ({"sample_types": ["subframe"]}, "sample_type is full, not subframe"),
        ({"name_pattern": "x*"}, None),
        ({"name_pattern": "X*"}, "the name is not like X*"),
    ],
)
def test_a_frame_is_meant_or_every_point_is_named(choice: dict[str, Any], told: str | None) -> None:
    assert FrameChoice(**choice).refusal(LISTED) == told


def test_the_newest_version_that_passes_is_kept() -> None:
    names = [f"NLF_0670_0726421423_362ECM_N0320604NCAM08111_01_095J0{version}.png" for version in (1, 2, 3)]
    rows = [{"file_name": name, "version": f"0{n}"} for n, name in enumerate(names, 1)]
    config = CurationConfig(rules={"flat": {"measure": "contrast", "minimum": 1}})
    assert reasons(judged(table(rows), config)) == {"f0": ["older_version"], "f1": ["older_version"], "f2": []}
    rows[2]["contrast"] = 0.0
    found = judged(table(rows), config)
    assert reasons(found) == {"f0": ["older_version"], "f1": [], "f2": ["flat"]}
    assert found["findings"][0] == ["older_version: f1 is a newer version"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"recipe": "mahl", "recipes": {"mahli": {}}}, "did you mean mahli"),
        ({"recipes": {"a": {"extends": "b"}}}, "a extends b, which is no recipe"),
        ({"recipes": {"a": {"extends": "b"}, "b": {"extends": "a"}}}, "in a circle: a -> b -> a"),
        ({"recipes": {"a": {"queries": ["q"]}, "b": {"queries": ["q"]}}}, "two recipes, a and b"),
        ({"recipes": {"base": {}}}, "may be called base"),
        ({"recipes": {"a": {"rules": {"x": {"measure": "entropi", "minimum": 1}}}}}, "no measure 'entropi'"),
        ({"recipes": {"a": {"frame": {}}}}, "Extra inputs"),
    ],
)
def test_wrong_recipes_are_refused(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        CurationConfig(**wrong)


def test_when_no_frame_is_meant_the_sentence_says_what_there_is() -> None:
    config = read_config().model_copy(update={"recipe": "perseverance_watson"})
    frames = judged(table([{}, {"camera": "mahli"}]), config)
    told = nothing_left(frames)
    assert "None of 2 frames is meant by the recipe perseverance_watson" in told
    assert "rover is curiosity, not perseverance, camera is mastcam_left, not watson" in told
    assert "curiosity mastcam_left (1), curiosity mahli (1)" in told


# --- what is shipped


def queries_of(environment: str) -> list[Query]:
    return IngestionConfig(
        **overlaid(
            yaml.safe_load((CONF / "base" / "parameters_ingestion.yml").read_text())["ingestion"]
            | {"archive": None, "download_folder": "x", "listing": {}},
            {
                "queries": yaml.safe_load((CONF / environment / "parameters_ingestion.yml").read_text())["ingestion"][
                    "queries"
                ]
            },
        )
    ).queries


def test_every_shipped_query_has_a_recipe_of_its_name_that_admits_what_it_asks_for() -> None:
    config = read_config("nasa")
    queries = queries_of("nasa")
    assert len(queries) == 13
    for query in queries:
        judgement = config.judgements()[query.name]
        assert judgement.name == query.name
        fields = ("cameras", "product_types", "color_types", "sample_types", "filters")
        for field in fields:
            asked, admitted = getattr(query, field), getattr(judgement.frames, field)
            assert not asked or not admitted or set(asked) <= set(admitted), (query.name, field)
        assert judgement.frames.rovers == ((query.rover or query.source),)
        assert not set(query.sample_types) & set(judgement.rejected_sample_types)
        narrow = query.filters and judgement.rules["narrow_band"]
        assert not narrow, f"{query.name} asks for narrow bands and its recipe rejects them"


ORIGINALS = {
    "original_curiosity_mast_color_large": {"short_side_px": 512, "color_difference": 3},
    "original_curiosity_mast_color_small": {"short_side_px": 128, "color_difference": 3},
    "original_curiosity_navcam_gray": {"short_side_px": 512, "color_difference": None},
    "original_perseverance_mast_color": {"short_side_px": 512, "color_difference": 3},
    "original_perseverance_navcam_color": {"short_side_px": 512, "color_difference": 3},
}
IMPROVED = {name: name.removeprefix("original_") for name in ORIGINALS} | {"original_opportunity": "opportunity_colors"}


@pytest.mark.parametrize("name", ORIGINALS)
def test_the_originals_have_their_thresholds_and_no_rule_beside(name: str) -> None:
    rules = read_config().model_copy(update={"recipe": name}).judgements()[""].rules
    assert all(rules.values())
    minima = {rule.measure: rule.minimum for rule in rules.values() if rule}
    assert minima == {"entropy_bits": 4.75, "spatial_variance": 15} | ORIGINALS[name]


def test_the_opportunity_original_has_its_thresholds() -> None:
    rules = read_config().model_copy(update={"recipe": "original_opportunity"}).judgements()[""].rules
    assert {rule.measure: (rule.minimum, rule.maximum) for rule in rules.values() if rule} == {
        "laplacian_variance": (60, None),
        "file_bytes": (50_000, None),
        "channels": (3, None),
    }


def test_beside_each_original_stands_an_improved_one() -> None:
    config = read_config()
    for original, improved in IMPROVED.items():
        rules = config.model_copy(update={"recipe": improved}).judgements()[""].rules
        assert set(config.rules) <= set(rules), "all rules of base"
        assert original in config.recipes


# --- the originals' sets, made by name from the synthetic archive

SETS = {
    "curiosity_mast_color_large": {"cameras": ("mastcam_left", "mastcam_right"), "product_types": ("E",)},
    "curiosity_navcam_gray": {"rover": "curiosity", "cameras": ("navcam_left", "navcam_right")},
    "perseverance_mast_color": {"cameras": ("mastcamz_left", "mastcamz_right"), "product_types": ("EBY",)},
    "perseverance_navcam_color": {"rover": "perseverance", "cameras": ("navcam_left", "navcam_right")},
}


@pytest.fixture(scope="module")
def large() -> dict[str, tuple[pd.DataFrame, dict]]:
    """Return four sound frames of each camera, 720 px wide, so that no short side is below 512."""
    source = SyntheticSource(SyntheticConfig(frames_count=160, image_px=720, defect_frac=0.0, seed=5))
    made = {}
    for name, asked in SETS.items():
        frames = list(source.search(Query(name="sample", source="synthetic", sample_types=("full",), limit=4, **asked)))
        files = {frame.frame_id: stored(frame.frame_id, source.fetch(frame)) for frame in frames}
        made[name] = (fetched(frames, files), files)
    return made


@pytest.fixture(scope="module")
def small() -> tuple[pd.DataFrame, dict]:
    """Return the colour thumbnails of Mastcam in an archive whose frames are 640 px wide, a quarter of that each."""
    source = SyntheticSource(SyntheticConfig(frames_count=900, image_px=640, defect_frac=0.9, seed=5))
    asked = Query(name="sample", source="synthetic", product_types=("I",), limit=4)
    frames = list(source.search(asked))
    files = {frame.frame_id: stored(frame.frame_id, source.fetch(frame)) for frame in frames}
    return fetched(frames, files), files


def made_by_name(name: str, frames: pd.DataFrame, files: dict) -> pd.DataFrame:
    config = read_config().model_copy(update={"recipe": name})
    examined = performed(examine_frames(frames, files, {}, config))
    result = split(judge_frames(examined, config), examined, config)
    return result.assign(tiles=len(cut(examined, result, config)))


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("prefix", ["original_", ""])
def test_a_set_is_made_by_name(large: dict[str, tuple[pd.DataFrame, dict]], name: str, prefix: str) -> None:
    result = made_by_name(prefix + name, *large[name])
    assert len(result) == 4
    assert result["kept"].all(), result["findings"].tolist()
    assert (result["tiles"] > 0).all()


def test_the_small_set_is_made_by_name(small: tuple[pd.DataFrame, dict]) -> None:
    result = made_by_name("original_curiosity_mast_color_small", *small)
    assert len(result) >= 2
    assert result["kept"].any()
    assert (result["tiles"] > 0).all()


def test_frames_of_other_cameras_are_not_in_the_recipe(large: dict[str, tuple[pd.DataFrame, dict]]) -> None:
    with pytest.raises(RovervisionError, match=r"None of 4 frames .* original_curiosity_navcam_gray; .* perseverance"):
        made_by_name("original_curiosity_navcam_gray", *large["perseverance_navcam_color"])


# --- the two mistakes of the original


def test_the_brightest_pixel_does_not_wrap_to_black() -> None:
    image = np.zeros((64, 64), np.uint8)
    image[:32] = 255
    found = histogram_measures(planes_of(image))
    assert found["entropy_bits"] == pytest.approx(1.0), "one bin for both would give 0"
    assert found["mean_luminance"] == pytest.approx(127.5)
    assert found["dark_frac"] == found["overexposed_frac"] == 0.5
    deep = np.linspace(1, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    assert to_uint8(deep).ravel()[-1] == 255
    assert (np.diff(to_uint8(deep).ravel().astype(int)) >= 0).all()


@pytest.mark.parametrize(
    ("height", "width", "is_kept"),
    [(512, 512, True), (512, 700, True), (700, 512, True), (500, 700, False), (700, 500, False), (500, 500, False)],
)
def test_either_side_may_be_the_one_that_is_too_small(height: int, width: int, is_kept: bool) -> None:
    noise = np.random.default_rng(3).normal(0, 40, (height, width)).astype(np.float32)
    light = 120 + cv2.GaussianBlur(noise, (0, 0), 2) * 6
    image = np.clip(light[..., None] * [0.6, 0.9, 1.2], 0, 255).astype(np.uint8)
    source = {"rover": "perseverance", "camera": "navcam_left", "color_type": "color"}
    frame = pd.DataFrame([{**LISTED, **source, "frame_id": "a", "sclk_s": 1.0, "sol": 1, "n_bytes": 1, "sha256": "s"}])
    files = {"a": stored("a", cv2.imencode(".png", image)[1].tobytes())}
    listed = frame.drop(columns=["not_examined", "examination_failure", "is_color"])
    config = read_config().model_copy(update={"recipe": "original_perseverance_navcam_color"})
    found = judge_frames(performed(examine_frames(listed, files, {}, config)), config)
    assert reasons(found) == {"a": [] if is_kept else ["too_small"]}


# --- the page


def documented_block() -> dict[str, Any]:
    text = (Path(__file__).resolve().parents[3] / "docs" / "pipelines" / "curation.md").read_text()
    section = text.partition("### A new camera's dataset")[2]
    match = re.search(r"```yaml\n(.*?)```", section, re.DOTALL)
    assert match
    return yaml.safe_load(match[1])


def test_the_block_of_the_page_makes_a_new_cameras_dataset() -> None:
    block = documented_block()
    assert set(block) == {"ingestion", "curation"}
    query = Query(**block["ingestion"]["queries"][0])
    merged = overlaid(
        yaml.safe_load((CONF / "base" / "parameters_curation.yml").read_text())["curation"], block["curation"]
    )
    config = CurationConfig(**merged)
    good = {name: rule.minimum if rule.minimum is not None else rule.maximum for name, rule in merged_rules(config)}
    mardi = {"query": query.name, "camera": query.cameras[0], "short_side_px": 512.0, "laplacian_variance": 10.0}
    rows = [good | mardi, good | mardi | {"laplacian_variance": 9.0}, good | mardi | {"camera": "mahli"}]
    rows += [good | mardi | {"blockiness": 99.0, "short_side_px": 511.0}, good | {"short_side_px": 48.0}]
    frames = judged(table(rows), config)
    told = {"f0": [], "f1": ["blurred"], "f2": [NOT_IN_RECIPE], "f3": ["too_small"], "f4": []}
    assert reasons(frames) == told
    assert Counter(frames["recipe"]) == {query.name: 4, "base": 1}


def merged_rules(config: CurationConfig) -> list[tuple[str, Rule]]:
    """Return measure and rule of base."""
    return [(rule.measure, rule) for rule in config.rules.values() if rule]
