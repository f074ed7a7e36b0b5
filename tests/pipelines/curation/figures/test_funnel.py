"""The funnel names every reason with its count, and shows what broke it by how much."""

import pytest

from rovervision.pipelines.curation.figures import draw_funnel
from rovervision.pipelines.curation.figures.funnel import examples_of, rejections_by_reason
from tests.pipelines.curation.figures.conftest import CountedShards, check_page, frames_table

FINDING = "entropy_bits {} is below 4"


@pytest.mark.parametrize("n_reasons", [1, 3, 7, 25])
def test_every_reason_is_named_and_counted(n_reasons: int) -> None:
    names = [f"reason_number_{number}" for number in range(n_reasons)]
    failed = {row: {name: FINDING.format(row / 20) for name in names[: row + 1]} for row in range(n_reasons)}
    frames = frames_table(n_reasons + 20, reasons=failed)
    shown = check_page(draw_funnel(CountedShards(frames), frames))
    for number, name in enumerate(names):
        count = n_reasons - number
        alone = int(n_reasons > 0 and number == 0)
        title = name.replace("_", " ")
        told = f"{title}\nentropy_bits ≥ 4\n{count} frame{'s' if count > 1 else ''}\n{alone} by this alone"
        assert told in shown
    assert f"{n_reasons + 20} frames came in, 20 are kept" in shown
    assert f"rejected {n_reasons}" in shown


def test_examples_lead_from_the_limit_outwards_each_with_its_value() -> None:
    values = [3.5, 0.5, 3.9, 2.0, 1.0, 3.0, 2.5, 0.1, 3.25]
    failed = {row: {"low_entropy": FINDING.format(value)} for row, value in enumerate(values)}
    frames = frames_table(20, reasons=failed)
    examples = examples_of(rejections_by_reason(frames)["low_entropy"])
    shown = [one.broken.value for one in examples if one.broken]
    assert len(shown) == 6
    assert shown == sorted(values, reverse=True)[:1] + shown[1:5] + [0.1]
    assert shown == sorted(shown, reverse=True)
    page = draw_funnel(CountedShards(frames), frames)
    written = check_page(page).split("\n")
    assert [text for text in written if text in {f"{value:g}" for value in values}] == [f"{value:g}" for value in shown]
    assert len(page.axes[0].images) == 6


def test_what_has_no_picture_tells_why_and_what_has_no_measure_tells_what() -> None:
    failed = {
        0: {"undecodable": "the JPEG file is truncated: fetch it again"},
        1: {"exact_duplicate": "the same bytes as f7"},
    }
    frames = frames_table(9, reasons=failed)
    frames.loc[0, "thumbnail"] = None
    shown = check_page(draw_funnel(CountedShards(frames), frames))
    assert "no picture could be decoded\nthe JPEG file is truncated: fetch it again" in shown
    assert "the same bytes as\nf7" in shown


def test_limits_that_differ_from_frame_to_frame_are_both_told() -> None:
    failed = {0: {"low_entropy": FINDING.format(1)}, 1: {"low_entropy": "entropy_bits 4.2 is below 4.75"}}
    frames = frames_table(9, reasons=failed)
    assert "entropy_bits ≥ 4\nentropy_bits ≥ 4.75" in check_page(draw_funnel(CountedShards(frames), frames))


def test_nothing_rejected_all_rejected_and_nothing_at_all_can_be_drawn() -> None:
    frames = frames_table(8)
    assert "No frame was rejected." in check_page(draw_funnel(CountedShards(frames), frames))
    lost = frames_table(3, reasons={row: {"not_fetched": "empty file"} for row in range(3)})
    assert "3 frames came in, 0 are kept (0.0 %)" in check_page(draw_funnel(CountedShards(lost), lost))
    assert "There is no frame." in check_page(draw_funnel({}, frames.iloc[:0]))


def test_thin_parts_of_the_bar_keep_their_names_apart() -> None:
    frames = frames_table(400, reasons={399: {"a": FINDING.format(1)}})
    frames.loc[:398, "split"] = ["train"] * 395 + ["val"] * 2 + ["test"] * 2
    shown = check_page(draw_funnel(CountedShards(frames), frames))
    for text in ("train 395", "val 2", "test 2", "rejected 1"):
        assert text in shown
