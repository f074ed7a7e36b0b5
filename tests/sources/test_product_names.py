"""Product names: the six grammars on the missions' own names."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.sources.product_names import ProductName, parse_product_name


def name(**facts: object) -> ProductName:
    return ProductName(**({"product": "", "version": "", "color_type": ""} | facts))  # type: ignore[arg-type]


KNOWN = {
    "NLA_402562693EDR_F0050000NCAM00445M_.JPG": name(
        rover="curiosity", camera="navcam_left", product_type="EDR", sample_type="full", version="_",
        sclk_s=402562693.0, site="005", eye="left",
    ),
    "CR0_779313271PRC_F0103444CCAM01310_AUTOPROCESS.PNG": name(
        rover="curiosity", camera="chemcam_rmi", product_type="PRC", sample_type="full", sclk_s=779313271.0, site="010",
    ),
    "NRB_670586006EDR_S0871444NCAM00545M_.jpg": name(
        rover="curiosity", camera="navcam_right", product_type="EDR", sample_type="subframe", version="_",
        sclk_s=670586006.0, site="087", eye="right",
    ),
    "NRB_670586006EDR_S0871444NCAM00545M_-thm.jpg": name(
        rover="curiosity", camera="navcam_right", product_type="EDR", sample_type="thumbnail", version="_",
        sclk_s=670586006.0, site="087", eye="right",
    ),
    "0077ML0005780000102730I01_DRCL.JPG": name(
        rover="curiosity", camera="mastcam_left", product_type="I", sample_type="thumbnail", version="1", sol=77,
        eye="left",
    ),
    "0549MH0002620000201566E01_DRCL.JPG": name(
        rover="curiosity", camera="mahli", product_type="E", sample_type="full", version="1", sol=549,
    ),
    "0003ML0000125000E1_DXXX.jpg": name(
        rover="curiosity", camera="mastcam_left", product_type="E", sample_type="full", version="1", sol=3, eye="left",
    ),
    "NLF_0670_0726421423_362ECM_N0320604NCAM08111_01_095J01.png": name(
        rover="perseverance", camera="navcam_left", product_type="ECM", sample_type="full", version="01", sol=670,
        sclk_s=726421423.362, site="032", eye="left", filter="F",
    ),
    "ZL0_0038_0670307360_057ECM_N0031392ZCAM08007_1100LUJ.png": name(
        rover="perseverance", camera="mastcamz_left", product_type="ECM", sample_type="full", sol=38,
        sclk_s=670307360.057, site="003", eye="left", filter="0",
    ),
    "NLF_0670_0726421423_362ECM_T0320604NCAM08111_01_095J01_320.jpg": name(
        rover="perseverance", camera="navcam_left", product_type="ECM", sample_type="thumbnail", version="01", sol=670,
        sclk_s=726421423.362, site="032", eye="left", filter="F",
    ),
    "1p128287181eff0000p2303l2m1.img.jpg": name(
        rover="opportunity", camera="pancam_left", product_type="EFF", sample_type="full", version="1",
        sclk_s=128287181.0, site="00", eye="left", filter="2", sequence="P2303",
    ),
    "2R318573382RNNB2ZJP1336L0M1": name(
        rover="spirit", camera="rear_hazcam_left", product_type="RNN", sample_type="unknown", version="1",
        sclk_s=318573382.0, site="B2", eye="left", sequence="P1336",
    ),
    "1M128287181ETH##00P2303M1M1.JPG": name(
        rover="opportunity", camera="microscopic_imager", product_type="ETH", sample_type="thumbnail", version="1",
        sclk_s=128287181.0, filter="1", sequence="P2303",
    ),
    "C000M0014_597774194EDR_F0000_0536M2.PNG": name(
        rover="insight", camera="icc", product_type="EDR", sample_type="full", version="2", sol=14, sclk_s=597774194.0,
    ),
    "D001L0021_598394361EDR_F0000_0817M_.PNG": name(
        rover="insight", camera="idc", product_type="EDR", sample_type="full", version="_", sol=21, sclk_s=598394361.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("file_name", KNOWN)
def test_known_names(file_name: str) -> None:
    told = parse_product_name(file_name)
    assert told is not None
    assert replace(told, product="", color_type="") == KNOWN[file_name]


@pytest.mark.parametrize(
    ("codes", "rover", "cameras"),
    [
        ("FL FR BL BR RL RR NL NR ZL ZR SI SC LR PC CC EL", "perseverance",
         "front_hazcam_left front_hazcam_right front_hazcam_left front_hazcam_right rear_hazcam_left rear_hazcam_right "
         "navcam_left navcam_right mastcamz_left mastcamz_right watson sherloc_aci supercam_rmi pixl_mcc cachecam "
         "lander_vision"),
        ("HN HS", "ingenuity", "heli_nav heli_rte"),
    ],
)  # fmt: skip
def test_every_camera_of_2020(codes: str, rover: str, cameras: str) -> None:
    told = [
        parse_product_name(f"{code}F_0670_0726421423_362ECM_N0320604NCAM08111_01_095J01.png") for code in codes.split()
    ]
    assert [(one.rover, one.camera) for one in told if one] == [(rover, camera) for camera in cameras.split()]


def test_all_versions_share_a_product_and_sort() -> None:
    told = [
        parse_product_name(f"NLF_0670_0726421423_362ECM_N0320604NCAM08111_01_095J{version}.png")
        for version in ["", "01", "09", "10", "A0", "B3"]
    ]
    assert len({one.product for one in told if one}) == 1
    assert [one.version for one in told if one] == sorted(one.version for one in told if one)
    sized = parse_product_name("NLF_0670_0726421423_362ECM_N0320604NCAM08111_01_095J01_800.jpg")
    assert sized and told[0] and sized.product != told[0].product


@pytest.mark.parametrize(
    "file_name",
    ["", "mars_068.jpg", "cs537_mahli_8.jpg", "IMG_0001.JPG", "NLA_40256269EDR_F0050000NCAM00445M_.JPG", "x" * 300,
     "XXA_402562693EDR_F0050000NCAM00445M_.JPG", "0077ML0005780000102730I01_DRCL.JPG.part.old"],
)  # fmt: skip
def test_other_names_are_unknown(file_name: str) -> None:
    assert parse_product_name(file_name) is None


@given(st.text(max_size=80))
def test_no_name_breaks_it(file_name: str) -> None:
    parse_product_name(file_name)


@given(st.sampled_from(sorted(KNOWN)), st.sampled_from([".png", ".JPG", ".img", ".img.jpg", ".jpeg", ""]))
def test_case_and_suffix_do_not_matter(file_name: str, suffix: str) -> None:
    stem = file_name.split(".", maxsplit=1)[0]
    assert parse_product_name(stem.lower() + suffix) == parse_product_name(stem)


@pytest.mark.real
def test_every_real_name(real_images: Path) -> None:
    """All product names beside the project parse, and agree with what is written about them."""
    with (real_images / "PROVENANCE.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if not Path(row["path"]).name.startswith(("mars_", "cs537_"))]
    assert len(rows) >= 24
    for row in rows:
        told = parse_product_name(Path(row["path"]).name)
        assert told is not None, row["path"]
        assert (told.rover, told.camera) == (row["rover"], row["camera"])
        assert told.sol is None or told.sol == int(row["sol"])
