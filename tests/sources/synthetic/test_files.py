"""The bytes are what the record says: whole, spoilt, mosaic or gray; and the same every time."""

import subprocess
import sys
from hashlib import sha256

import cv2
import numpy as np
import pytest

from rovervision.errors import RovervisionError
from rovervision.sources.frame import Query
from rovervision.sources.regions import REGION_NAMES, UNKNOWN
from rovervision.sources.synthetic import SyntheticConfig, SyntheticSource


@pytest.fixture(scope="module")
def by_defect(frames, truth):
    """Frames by their defect, "" for sound ones."""
    groups: dict[str, list] = {}
    for frame in frames:
        for kind in truth(frame)["defects"] or [""]:
            groups.setdefault(kind, []).append(frame)
    return groups


def gray_of(image):
    return image if image.ndim == 2 else image.mean(-1)


def test_sound_frames_decode_at_the_listed_size(frames, truth, decode):
    for frame in frames:
        if frame.has_mask:
            image = decode(frame)
            assert image.shape[:2] == (frame.height_px, frame.width_px), frame.frame_id
            assert image.dtype == np.uint8


def test_suffix_tells_the_format(frames, source, by_defect):
    for frame in frames:
        data = source.fetch(frame)
        if data:
            magic = b"\x89PNG" if frame.file_name.endswith(".png") else b"\xff\xd8"
            assert data.startswith(magic)


def test_empty_files_are_empty(by_defect, source):
    assert by_defect["empty"]
    assert all(source.fetch(frame) == b"" and not frame.has_mask for frame in by_defect["empty"])


def test_truncated_files_end_early(by_defect, source):
    assert by_defect["truncated"]
    for frame in by_defect["truncated"]:
        data = source.fetch(frame)
        tail = b"IEND" if frame.file_name.endswith(".png") else b"\xff\xd9"
        assert data
        assert tail not in data[-16:]
        assert not frame.has_mask
        with pytest.raises(RovervisionError, match="truncated"):
            source.fetch_mask(frame)


def test_thumbnails_are_small(by_defect):
    assert by_defect["thumbnail"]
    for frame in by_defect["thumbnail"]:
        assert frame.sample_type == "thumbnail"
        assert max(frame.width_px, frame.height_px) <= 96 // 4


def test_borders_and_stripes_are_black_where_the_record_says(by_defect, truth, decode, mask_of):
    assert by_defect["border"]
    assert by_defect["stripes"]
    for frame in by_defect["border"] + by_defect["stripes"]:
        record, image = truth(frame), gray_of(decode(frame))
        left, top, right, bottom = record["border_px"]
        lost = np.ones(image.shape, bool)
        lost[top : image.shape[0] - bottom, left : image.shape[1] - right] = False
        for start, stop in record["missing_rows"]:
            lost[start:stop] = True
        assert lost.any()
        # JPEG rings a little into the black.
        assert np.median(image[lost]) <= 3
        assert np.median(image[~lost]) > 30
        mask = mask_of(frame)
        assert (mask[lost] == UNKNOWN).all()
        assert (mask[~lost] != UNKNOWN).all()


def test_exposures_are_off(by_defect, decode):
    assert by_defect["dark"]
    assert by_defect["overexposed"]
    assert all(gray_of(decode(frame)).mean() < 45 for frame in by_defect["dark"])
    assert all((gray_of(decode(frame)) > 235).mean() > 0.4 for frame in by_defect["overexposed"])


def test_blur_takes_the_detail(by_defect, decode, source, truth):
    def detail(image):
        return float(cv2.Laplacian(cv2.GaussianBlur(image, (0, 0), 1.0), cv2.CV_32F).var())

    assert by_defect["blur"]
    for frame in by_defect["blur"]:
        sharp = source.render_truth(frame)[..., 1].astype(np.float32)
        blurred = gray_of(decode(frame)).astype(np.float32)
        if truth(frame)["mosaic"]:
            # One green cell in four, in both.
            sharp, blurred = sharp[::2, 1::2], blurred[::2, 1::2]
        assert detail(blurred) < 0.5 * detail(sharp)


def test_gray_stored_as_rgb_has_three_equal_channels(by_defect, decode):
    assert by_defect["gray_as_rgb"]
    for frame in by_defect["gray_as_rgb"]:
        image = decode(frame).astype(int)
        assert image.ndim == 3
        assert np.abs(image - image.mean(-1, keepdims=True)).max() <= 2


def test_mosaics_are_rggb_samples_of_the_true_colour(frames, truth, decode, source):
    mosaics = [f for f in frames if truth(f)["mosaic"] and f.has_mask and truth(f)["defects"] in ([], ["mosaic"])]
    assert any(truth(f)["defects"] for f in mosaics)
    assert any(not truth(f)["defects"] for f in mosaics)
    for frame in mosaics:
        image, true = decode(frame), source.render_truth(frame)
        raw = (image if image.ndim == 2 else image[..., 0]).astype(float)
        if image.ndim == 3:
            assert np.ptp(image.astype(int), axis=-1).max() <= 2
        expected = true[..., 1].astype(float)
        expected[0::2, 0::2], expected[1::2, 1::2] = true[0::2, 0::2, 0], true[1::2, 1::2, 2]
        assert np.abs(raw - expected).mean() < 6
        # Another phase fits worse: the check would notice a shifted pattern.
        assert np.abs(raw - np.roll(expected, 1, (0, 1))).mean() > np.abs(raw - expected).mean()


def test_same_frame_gives_the_same_bytes_in_any_order(source, frames):
    other = SyntheticSource(source.config)
    chosen = frames[::9]
    first = {frame.frame_id: source.fetch(frame) for frame in chosen}
    second = {frame.frame_id: other.fetch(frame) for frame in reversed(chosen)}
    assert first == second


def test_another_process_gives_the_same_bytes(source, frames):
    chosen = frames[::25]
    digest = sha256(
        b"".join(source.fetch(f) + (source.fetch_mask(f) if f.has_mask else b"") for f in chosen)
    ).hexdigest()
    program = (
        "import cv2; cv2.setNumThreads(1)\n"
        "from hashlib import sha256\n"
        "from rovervision.sources.frame import Query\n"
        "from rovervision.sources.synthetic import SyntheticConfig, SyntheticSource\n"
        f"s = SyntheticSource(SyntheticConfig.model_validate_json({source.config.model_dump_json()!r}))\n"
        "fs = list(s.search(Query(name='x', source='synthetic')))[::25]\n"
        "print(sha256(b''.join(s.fetch(f) + (s.fetch_mask(f) if f.has_mask else b'') for f in fs)).hexdigest())\n"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == digest


def test_another_seed_gives_another_archive(source, frames):
    other = SyntheticSource(source.config.model_copy(update={"seed": 4}))
    names = {frame.frame_id for frame in other.search(Query(name="x", source="synthetic"))}
    assert not names & {frame.frame_id for frame in frames}


def test_global_random_state_neither_matters_nor_changes(source, frames):
    frame = next(f for f in frames if f.has_mask)
    np.random.seed(1)  # noqa: NPY002 - the point is that nobody listens
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    one = SyntheticSource(source.config).fetch(frame)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    np.random.seed(2)  # noqa: NPY002
    assert SyntheticSource(source.config).fetch(frame) == one


def test_masks_hold_regions_and_fit_the_image(frames, mask_of):
    seen = set()
    for frame in frames:
        if frame.has_mask:
            mask = mask_of(frame)
            assert mask.shape == (frame.height_px, frame.width_px)
            assert mask.dtype == np.uint8
            seen |= set(np.unique(mask).tolist())
    assert seen == set(REGION_NAMES)


def test_a_foreign_frame_is_refused(frames):
    other = SyntheticSource(SyntheticConfig(frames_count=10, image_px=64, seed=77))
    with pytest.raises(RovervisionError, match="list the frames again"):
        other.fetch(frames[0])
