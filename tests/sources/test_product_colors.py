"""Kinds of colour: every row of the missions' tables, and five words only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rovervision.sources.product_colors import color_of_m20, color_of_mer, color_of_mmm
from rovervision.sources.product_names import parse_product_name

WORDS = {"color", "mosaic", "gray", "narrow_band", "unknown"}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"


def color_of(file_name: str) -> str:
    told = parse_product_name(file_name)
    assert told is not None, file_name
    return told.color_type


def mmm(product_type: str, processing: str = "DXXX") -> str:
    return color_of(f"0549MH0002620000201566{product_type}01_{processing}.JPG")


def m20(code: str, product_type: str = "ECM", compression: str = "95", sample: str = "N") -> str:
    return color_of(f"{code}_0670_0726421423_362{product_type}_{sample}0320604NCAM08111_01_0{compression}J01.png")


def pancam(eye: str, filter_digit: str, product_type: str = "EFF") -> str:
    return color_of(f"1p128287181{product_type}0000p2303{eye}{filter_digit}m1.img.jpg")


@pytest.mark.parametrize(
    ("types", "color_type"), [("EFIMNQRT", "color"), ("ABCJK", "mosaic"), ("DHLPSU", "gray"), ("GO", "unknown")]
)
def test_every_type_of_mastcam_mahli_and_mardi(types: str, color_type: str) -> None:
    assert {mmm(each) for each in types} == {color_type}


def test_calibrated_mosaics_are_in_color_and_calibrated_gray_is_not() -> None:
    assert {mmm(each, processing) for each in "BC" for processing in ("DRCL", "DRXX", "DRLX")} == {"color"}
    assert {mmm(each, "XXXX") for each in "BC"} == {"mosaic"}
    assert {mmm(each, "DRCL") for each in "DH"} == {"gray"}


def test_the_early_short_names() -> None:
    assert [color_of(f"0003ML0000125000{each}1_DXXX.jpg") for each in "EICD"] == ["color", "color", "mosaic", "gray"]


def test_engineering_cameras_of_curiosity_are_gray() -> None:
    for code in ("NLA", "NRB", "FLA", "FRB", "RLA", "RRB", "CR0"):
        assert color_of(f"{code}_402562693EDR_F0050000NCAM00445M_.JPG") == "gray"
    assert color_of("CR0_779313271PRC_F0103444CCAM01310_AUTOPROCESS.PNG") == "gray"
    assert color_of("MLA_402562693EDR_F0050000MCAM00445M_.JPG") == "unknown"


@pytest.mark.parametrize("camera", ["NL", "NR", "FL", "FR", "BL", "BR", "RL", "RR", "SI", "HS", "CC", "LR", "EA", "ED"])
def test_letters_of_2020_say_what_the_pixels_are(camera: str) -> None:
    told = {letter: m20(camera + letter) for letter in "EFRGBADM"}
    assert told == {"E": "mosaic", "F": "color"} | dict.fromkeys("RGBADM", "gray")
    assert m20(f"{camera}_") == "unknown"


@pytest.mark.parametrize("compression", ["95", "85", "I5", "LI"])
def test_a_tile_of_three_bands_is_in_color_however_compressed(compression: str) -> None:
    assert m20("NLF", compression=compression) == "color"


@pytest.mark.parametrize("camera", ["ZL0", "ZR0", "SI0", "SI1", "SI2", "SI3"])
def test_behind_white_glass_the_compression_decides(camera: str) -> None:
    assert {m20(camera, compression=each) for each in ("LU", "LM", "LL", "LI")} == {"mosaic"}
    assert {m20(camera, compression=each) for each in ("85", "95", "75")} == {"color"}
    assert {m20(camera, compression=each, sample="T") for each in ("85", "95")} == {"color"}
    assert {m20(camera, "EBY", each) for each in ("LU", "85", "I5")} == {"color"}
    assert m20(camera, "RZS", "LU") == "color"
    assert m20(camera, "ECV", "LM") == "mosaic"
    assert m20(camera, compression="I5") == "unknown"


def test_filters_of_mastcamz_are_narrow() -> None:
    names = [f"Z{eye}{digit}" for eye in "LR" for digit in range(1, 8)]
    assert {m20(name, kind, each) for name in names for kind in ("ECM", "EBY") for each in ("85", "LU")} == {
        "narrow_band"
    }


def test_gray_sensors_of_2020() -> None:
    assert {m20(code) for code in ("SC0", "SC1", "SCF", "PCW", "PC_", "HNM", "ELM")} == {"gray"}


def test_measured_names_of_2020() -> None:
    assert color_of("ZL0_0038_0670307360_057ECM_N0031392ZCAM08007_1100LUJ.png") == "mosaic"
    assert color_of("ZL0_0053_0671639098_027ECM_N0031950ZCAM08013_110085J01.png") == "color"
    assert color_of("NLF_0670_0726421423_362ECM_N0320604NCAM08111_01_095J01.png") == "color"


def test_filters_of_pancam() -> None:
    assert [pancam("l", digit) for digit in "012345678"] == ["gray"] * 2 + ["narrow_band"] * 7
    assert [pancam("r", digit) for digit in "012345678"] == ["gray"] + ["narrow_band"] * 8
    assert pancam("l", "5", "ILF") == pancam("l", "5", "IOF") == "narrow_band"


def test_other_cameras_of_the_exploration_rovers_are_gray_and_non_pictures_unknown() -> None:
    for code in "FRNME":
        assert color_of(f"2{code}128287181EFF0000p2303M2m1.img") == "gray"
    assert {pancam("l", "2", kind) for kind in ("ERP", "ERS", "ECS", "EHG", "RNN", "XYZ")} == {"unknown"}


def test_insight_does_not_tell() -> None:
    assert color_of("C000M0190_613408865EDR_F0000_0461M_.JPG") == "unknown"


@given(st.data())
def test_color_types_are_five_words(data: st.DataObject) -> None:
    one = st.sampled_from(ALPHABET)
    draw = data.draw
    told = [
        color_of_mmm(draw(one), draw(st.text(ALPHABET, min_size=4, max_size=4))),
        color_of_m20(
            draw(st.text(ALPHABET, min_size=2, max_size=2)),
            draw(one),
            draw(st.sampled_from(["ECM", "EBY", "EDR", "RAD", "XYZ"])),
            draw(st.text(ALPHABET, min_size=2, max_size=2)),
        ),
        color_of_mer(
            draw(st.sampled_from("FRNPME")),
            draw(st.sampled_from(["left", "right", ""])),
            draw(st.sampled_from("0123456789")),
            draw(st.sampled_from(["EFF", "ILF", "ERP"])),
        ),
    ]
    assert set(told) <= WORDS
