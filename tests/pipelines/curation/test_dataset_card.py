"""The card counts what there is, names whom to credit, and is what dataset hosts can read."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from rovervision.imaging.tiles import TILE_INDEX_COLUMNS, TileStore
from rovervision.pipelines.curation.dataset_card import dataset_card

NASA, MSSS = "NASA/JPL-Caltech", "NASA/JPL-Caltech/MSSS"


def frames(**columns: Any) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "frame_id": ["a", "b", "c", "d"],
            "source": "curiosity",
            "rover": "curiosity",
            "camera": ["mahli", "mahli", "mastcam_left", "mastcam_left"],
            "sol": pd.array([3, 9, 12, None], "Int64"),
            "credit": [NASA, MSSS, MSSS, MSSS],
            "kept": [True, True, True, False],
            "reasons": [[], [], [], ["too_dark", "low|entropy"]],
            "split": ["train", "val", "train", None],
            "group": ["g1", "g2", "g3", None],
        }
    )
    return table.assign(**columns)


def tiles(table: pd.DataFrame, per_frame: int = 2, **columns: Any) -> TileStore:
    kept = table[table["kept"]]
    index = kept.loc[kept.index.repeat(per_frame), ["frame_id", "rover", "camera", "sol", "split", "group"]]
    index = index.reset_index(drop=True).assign(is_color=True, label=None)
    for name in TILE_INDEX_COLUMNS:
        index[name] = index.get(name, 0)
    index = index.assign(**columns)
    shape = (len(index), 16, 16)
    return TileStore(np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.uint8), index)


def parted(card: str) -> tuple[dict[str, Any], str]:
    head, text = re.fullmatch(r"---\n(.*?)\n---\n(.*)", card, re.DOTALL).groups()
    return yaml.safe_load(head), text


def rows_of(card: str, heading: str) -> list[list[str]]:
    section = card.split(f"## {heading}\n")[1].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) <= 1
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def test_counts_are_those_of_index_and_frames() -> None:
    card = dataset_card(tiles(frames()), frames())
    assert "6 square tiles of 16 × 16 pixels, cut from 3 frames" in card
    assert rows_of(card, "Splits") == [["train", "4", "2", "2"], ["val", "2", "1", "1"]]
    assert rows_of(card, "Where the images come from") == [
        ["curiosity", "curiosity", "mahli", "2", "4", "3 to 9"],
        ["curiosity", "curiosity", "mastcam_left", "1", "2", "12 to 12"],
    ]
    assert rows_of(card, "Credit and use") == [[MSSS, "2"], [NASA, "1"]]
    assert "1 of 4 frames" in card
    assert rows_of(card, "What was left out") == [["too_dark", "1"], ["low\\|entropy", "1"]]


def test_the_front_matter_is_what_hosts_read() -> None:
    head, _ = parted(dataset_card(tiles(frames()), frames(), title="Mars: tiles"))
    assert head == {
        "pretty_name": "Mars: tiles",
        "license": "other",
        "license_name": "jpl-image-use-policy",
        "license_link": "https://www.jpl.nasa.gov/jpl-image-use-policy",
        "size_categories": ["n<1K"],
        "task_categories": ["unconditional-image-generation", "image-feature-extraction", "image-to-image"],
        "tags": ["mars", "planetary-science", "curiosity"],
    }


@pytest.mark.parametrize(("per_frame", "size"), [(333, "n<1K"), (334, "1K<n<10K"), (3333, "1K<n<10K")])
def test_the_size_is_that_of_its_class(per_frame: int, size: str) -> None:
    head, _ = parted(dataset_card(tiles(frames(), per_frame), frames()))
    assert head["size_categories"] == [size]


def test_tasks_follow_what_the_tiles_hold() -> None:
    gray, _ = parted(dataset_card(tiles(frames(), is_color=False), frames()))
    assert "image-to-image" not in gray["task_categories"]
    labelled, _ = parted(dataset_card(tiles(frames(), label="wheel"), frames()))
    assert "image-classification" in labelled["task_categories"]


def test_synthetic_images_need_no_licence_and_no_credit() -> None:
    table = frames(source="synthetic", credit="synthetic, no credit needed")
    head, text = parted(dataset_card(tiles(table), table))
    assert "license" not in head
    assert "3 frames were rendered by a program" in text
    assert rows_of(text, "Credit and use") == []
    assert "jpl" not in text.lower()


def test_images_of_unknown_origin_are_not_given_away() -> None:
    table = frames(credit=[NASA, "not stated", None, MSSS])
    head, text = parted(dataset_card(tiles(table), table))
    assert head["license_name"] == "several"
    assert "find out what applies" in text
    assert rows_of(text, "Credit and use") == [["not stated", "2"], [NASA, "1"]]
    head, _ = parted(dataset_card(tiles(table), table.drop(columns=["credit", "source"])))
    assert head["license_name"] == "several"


def test_the_labelled_set_is_named() -> None:
    table = frames(source="msl_labelled")
    head, text = parted(dataset_card(tiles(table), table))
    assert "Wagstaff" in text
    assert head["license_name"] == "several"
    assert "Wagstaff" not in dataset_card(tiles(frames()), frames())


def test_every_column_is_explained() -> None:
    plain = rows_of(dataset_card(tiles(frames()), frames()), "Columns")
    assert {name for row in plain for name in row[0].split(", ")} == {"image", "regions", *TILE_INDEX_COLUMNS}
    assert all(all(row) for row in plain)
    more = tiles(frames(), entropy_bits=4.5, contrast=1, share_sky_frac=0.5, sampling_weight=1.0)
    rows = rows_of(dataset_card(more, frames()), "Columns")
    assert [row[0] for row in rows[len(plain) :]] == ["sampling_weight", "share_sky_frac", "entropy_bits, contrast"]


def test_nothing_left_out_is_said_so() -> None:
    table = frames(kept=True, reasons=[[]] * 4, split="train", group="g", sol=5)
    assert "Nothing: all of 4 frames were kept." in dataset_card(tiles(table), table)
