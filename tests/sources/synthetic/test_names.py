"""Every name follows its mission's grammar, and says what the frame says."""

import re

import pytest

from rovervision.sources.frame import Frame
from rovervision.sources.product_names import parse_product_name

# Grammars of the archives' product names (MSL camera SIS; MMM DPSIS p. 25; M2020 camera SIS D-99960; MER camera SIS).
NAVCAM_MSL = re.compile(
    r"^(?P<inst>[A-Z]{2})(?P<config>[A-Z0-9])(?P<special>[A-Z0-9_])(?P<sclk>\d{9})(?P<prod>[A-Z0-9]{3})(?P<geom>[_L])"
    r"(?P<samp>[FSDMTBYN])(?P<site>[0-9A-Z_]{3})(?P<drive>[0-9A-Z_]{4})(?P<seqid>[A-Z]{3,4}_?\d{5})"
    r"(?:(?P<who>[A-Z])(?P<ver>[0-9A-Z_])|_(?P<suffix>AUTOPROCESS))(?P<thm>-thm)?(?:\.(?P<ext>[A-Za-z]{3}))?$"
)
MASTCAM_MSL = re.compile(
    r"^(?P<sol>\d{4})(?P<inst>M[DHLR])(?P<seqid>\d{6})(?P<cmd>\d{3})(?P<cdpid_cnt>\d{2})(?P<cdpid>\d{5})(?P<prod>[A-U])"
    r"(?P<gop>[0-9A-F])(?P<ver>[0-9A-Z])_(?P<proc>[A-Z]{4})(?P<thm>-thm)?(?:\.(?P<ext>[A-Za-z]{3}))?$"
)
MARS_2020 = re.compile(
    r"^(?P<inst>[A-Z]{2})(?P<filt>[A-Z0-9_])(?P<special>[A-Z0-9_])(?P<sol>\d{4}|[A-Z][0-9A-Z]{3})(?P<venue>[_A-Z])"
    r"(?P<sclk>\d{10})_(?P<ms>\d{3})(?P<prod>[A-Z0-9]{3})(?P<geom>[_LA])(?P<samp>[NT])(?P<site>[0-9A-Z_]{3})"
    r"(?P<drive>[0-9A-Z_]{4})(?P<seq>[0-9A-Z_]{9})(?P<camspec>[0-9A-Z_]{4})(?P<ds>[0-9])(?P<comp>[0-9A-Z_]{2})"
    r"(?P<producer>[A-Z_])(?P<ver>[0-9A-Z]{2})?(?:_(?P<size>320|800|1200))?(?:\.(?P<ext>[A-Za-z]{3}))?$"
)
MER = re.compile(
    r"^(?P<scid>[12])(?P<inst>[FRNPME])(?P<sclk>\d{9})(?P<prod>[A-Z]{3})(?P<site>[0-9A-Z#]{2})(?P<pos>[0-9A-Z#]{2})"
    r"(?P<seq>[A-Z]\d{4})(?P<eye>[LRMBN])(?P<filt>\d)(?P<who>[A-Z])(?P<ver>[0-9A-Z])(?:\.img)?(?:\.(?P<ext>jpg|png))?$",
    re.IGNORECASE,
)


def grammar(frame: Frame) -> tuple[re.Pattern[str], int]:
    """Return the grammar and the length of the stem."""
    if frame.rover == "perseverance":
        return MARS_2020, 54
    if frame.rover == "opportunity":
        return MER, 27
    return (MASTCAM_MSL, 30) if frame.camera.startswith("mastcam") else (NAVCAM_MSL, 36)


def parts_of(frame: Frame) -> dict[str, str]:
    match = grammar(frame)[0].match(frame.file_name)
    assert match, frame.file_name
    return match.groupdict()


@pytest.fixture(params=["frames", "default_frames"])
def archive(request: pytest.FixtureRequest) -> list[Frame]:
    return request.getfixturevalue(request.param)


def test_every_name_follows_its_grammar(archive):
    for frame in archive:
        parts = parts_of(frame)
        assert len(frame.frame_id) == grammar(frame)[1]
        assert frame.file_name.startswith(frame.frame_id + ".")
        assert parts["prod"] == frame.product_type


def test_frame_ids_are_unique_and_safe(archive):
    ids = [frame.frame_id for frame in archive]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in ids)


def test_name_tells_sol_clock_and_site(archive):
    for frame in archive:
        parts = parts_of(frame)
        if "sol" in parts:
            assert int(parts["sol"]) == frame.sol
        if "sclk" in parts:
            assert int(parts["sclk"]) + int(parts.get("ms", 0)) / 1000 == pytest.approx(
                frame.sclk_s if "ms" in parts else int(frame.sclk_s), abs=1e-6
            )
        if "site" in parts:
            assert int(parts["site"]) == int(frame.site)


def test_name_tells_eye_and_sample_type(archive):
    for frame in archive:
        parts = parts_of(frame)
        eye = parts.get("eye") or parts["inst"][1]
        assert eye == ("R" if "right" in frame.camera else "L")
        thumbnail = parts.get("samp") == "T" or parts["prod"] in ("I", "ETH")
        assert thumbnail == (frame.sample_type == "thumbnail")
        if parts.get("samp") == "S":
            assert frame.sample_type == "subframe"


def test_mosaic_names_say_mosaic_only_where_it_is_usual(archive, truth):
    for frame in archive:
        parts, record = parts_of(frame), truth(frame)
        by_name = parts.get("comp") == "LU" or (frame.camera.startswith("mastcam") and parts["prod"] == "C")
        assert by_name == record["mosaic_is_usual"]


def test_a_broken_name_is_refused():
    assert not MARS_2020.match("NLF_0670_0726421423_362ECM_N0320604NCAM08111_01_095.png")
    assert not MER.match("1F128287181EFF0205P1234L0M.jpg")


def test_the_file_name_says_what_the_frame_says(archive):
    """A synthetic folder read back by name gives the same rover and camera."""
    for frame in archive:
        product = parse_product_name(frame.file_name)
        assert product is not None
        assert (product.rover, product.camera) == (frame.rover, frame.camera)
