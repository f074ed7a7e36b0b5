"""Product names: what the file name of a rover image says about the image.

The six grammars are the missions' own: MSL engineering cameras (MSL Camera SIS), MSL Mastcam, MAHLI and MARDI (MMM
DPSIS, long and early short form), Mars 2020 (Camera SIS D-99960), Mars Exploration Rovers (MER Camera SIS) and InSight.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rovervision.sources.product_colors import color_of_m20, color_of_mer, color_of_mmm, color_of_msl_engineering


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductName:
    """What one product name tells. Counters keep the characters of the name, in upper case."""

    rover: str
    camera: str
    product: str
    """The name without its version and suffix: equal for all versions of one product."""
    product_type: str
    sample_type: str
    """full, subframe, thumbnail, downsampled, mixed or unknown; full where a name only says that it is no thumbnail."""
    color_type: str
    """color, mosaic (a Bayer pattern that looks gray), gray, narrow_band or unknown (see `sources.product_colors`)."""
    version: str
    """Versions of one product sort as text; later is better."""
    sol: int | None = None
    sclk_s: float | None = None
    """Spacecraft clock in seconds."""
    site: str | None = None
    eye: str = ""
    """left, right or nothing."""
    filter: str = ""
    """The filter's character; empty where the name has none."""
    sequence: str = ""
    """The observation sequence of Spirit and Opportunity, such as P2303; empty for other missions."""


_EYES: Final = {"L": "left", "R": "right"}

_MSL_CAMERAS: Final = {
    "NL": "navcam_left", "NR": "navcam_right",
    "FL": "front_hazcam_left", "FR": "front_hazcam_right",
    "RL": "rear_hazcam_left", "RR": "rear_hazcam_right",
    "CR": "chemcam_rmi",
    "ML": "mastcam_left", "MR": "mastcam_right", "MH": "mahli", "MD": "mardi",
}  # fmt: skip

_M20_CAMERAS: Final = {
    "NL": "navcam_left", "NR": "navcam_right",
    "FL": "front_hazcam_left", "FR": "front_hazcam_right",
    "BL": "front_hazcam_left", "BR": "front_hazcam_right",  # the same places, read by the other computer
    "RL": "rear_hazcam_left", "RR": "rear_hazcam_right",
    "ZL": "mastcamz_left", "ZR": "mastcamz_right",
    "SI": "watson", "SC": "sherloc_aci", "SE": "sherloc_engineering",
    "LR": "supercam_rmi", "PC": "pixl_mcc", "WS": "skycam", "CC": "cachecam",
    "HN": "heli_nav", "HS": "heli_rte",
    "EA": "parachute_uplook_a", "EB": "parachute_uplook_b", "EC": "parachute_uplook_c",
    "ED": "rover_downlook", "EL": "lander_vision", "ES": "descent_stage_downlook", "EU": "rover_uplook",
}  # fmt: skip

_MER_CAMERAS: Final = {
    "F": "front_hazcam", "R": "rear_hazcam", "N": "navcam", "P": "pancam",
    "M": "microscopic_imager", "E": "descent_camera",
}  # fmt: skip

_SAMPLE_TYPES: Final = {
    "F": "full", "S": "subframe", "D": "downsampled", "M": "mixed", "T": "thumbnail",
    "B": "downsampled", "Y": "downsampled",  # every second Bayer cell
}  # fmt: skip

_MMM_THUMBNAILS: Final = frozenset("GHIOPQTU")

_MER_SAMPLE_TYPES: Final = {
    "EFF": "full", "ILF": "full", "FFL": "full",
    "ESF": "subframe", "ISF": "subframe", "SFL": "subframe",
    "EDN": "downsampled", "INN": "downsampled", "DNL": "downsampled",
    "ETH": "thumbnail", "ITH": "thumbnail", "THN": "thumbnail",
}  # fmt: skip

_MSL: Final = re.compile(
    r"(?P<inst>[A-Z]{2})[A-Z0-9][A-Z0-9_](?P<sclk>\d{9})(?P<prod>[A-Z0-9]{3})[_L](?P<samp>[FSDMTBYN])"
    r"(?P<site>[0-9A-Z_]{3})[0-9A-Z_]{4}[A-Z]{3,4}_?\d{5}(?:[A-Z](?P<ver>[0-9A-Z_])|_AUTOPROCESS)(?P<thm>-THM)?"
)
_MMM: Final = re.compile(
    r"(?P<sol>\d{4})(?P<inst>M[DHLR])\d{16}(?P<ptype>[A-U])[0-9A-F](?P<ver>[0-9A-Z])_(?P<proc>[A-Z]{4})(?P<thm>-THM)?"
)
_MMM_EARLY: Final = re.compile(
    r"(?P<sol>\d{4})(?P<inst>M[DHLR])\d{10}(?P<ptype>[A-U])(?P<ver>\d)_(?P<proc>[A-Z]{4})(?P<thm>-THM)?"
)
_M20: Final = re.compile(
    r"(?P<inst>[A-Z]{2})(?P<filt>[A-Z0-9_])[A-Z0-9_](?P<sol>\d{4}|[A-Z][0-9A-Z]{3})[_A-Z](?P<sclk>\d{10})_(?P<ms>\d{3})"
    r"(?P<prod>[A-Z0-9]{3})[_LA](?P<samp>[NT])(?P<site>[0-9A-Z_]{3})[0-9A-Z_]{4}[0-9A-Z_]{9}[0-9A-Z_]{4}"
    r"[0-9](?P<comp>[0-9A-Z_]{2})[A-Z_](?P<ver>[0-9A-Z]{2})?(?P<size>_(?:320|800|1200))?"
)
_MER: Final = re.compile(
    r"(?P<scid>[12])(?P<inst>[FRNPME])(?P<sclk>\d{9})(?P<prod>[A-Z]{3})(?P<site>[0-9A-Z#]{2})[0-9A-Z#]{2}"
    r"(?P<seq>[A-Z]\d{4})(?P<eye>[LRMBN])(?P<filt>\d)[A-Z](?P<ver>[0-9A-Z])"
)
_INSIGHT: Final = re.compile(
    r"(?P<cam>[CD])\d{3}[A-Z_](?P<sol>\d{4})_(?P<sclk>\d{9})(?P<prod>[A-Z]{3})[_L](?P<samp>[FSDTM])\d{4}_\d{4}"
    r"[A-Z](?P<ver>[0-9A-Z_])"
)
_SUFFIXES: Final = re.compile(r"(?:\.[A-Za-z]{2,4}){1,2}$")


def parse_product_name(file_name: str) -> ProductName | None:
    """Read a file name by the missions' grammars; None when no grammar knows it.

    Upper and lower case, and one or two suffixes (`.png`, `.img.jpg`), are all the same to it.
    """
    stem = _SUFFIXES.sub("", file_name).upper()
    for grammar, reader in _GRAMMARS:
        if match := grammar.fullmatch(stem):
            return reader(match)
    return None


def _product(match: re.Match[str]) -> str:
    """Return the whole name with its version cut out."""
    start, end = match.span("ver")
    return match.string if start < 0 else match.string[:start] + match.string[end:]


def _counter(characters: str) -> str | None:
    return None if set(characters) <= set("_#") else characters


def _read_msl(match: re.Match[str]) -> ProductName | None:
    camera = _MSL_CAMERAS.get(match["inst"])
    if camera is None:
        return None
    return ProductName(
        rover="curiosity",
        camera=camera,
        product=_product(match),
        product_type=match["prod"],
        sample_type="thumbnail" if match["thm"] else _SAMPLE_TYPES.get(match["samp"], "unknown"),
        color_type=color_of_msl_engineering(camera),
        version=match["ver"] or "",
        sclk_s=float(match["sclk"]),
        site=_counter(match["site"]),
        eye="" if match["inst"] == "CR" else _EYES.get(match["inst"][1], ""),
    )


def _read_mmm(match: re.Match[str]) -> ProductName:
    is_thumbnail = match["ptype"] in _MMM_THUMBNAILS or match["thm"] is not None
    return ProductName(
        rover="curiosity",
        camera=_MSL_CAMERAS[match["inst"]],
        product=_product(match),
        product_type=match["ptype"],
        sample_type="thumbnail" if is_thumbnail else "full",
        color_type=color_of_mmm(match["ptype"], match["proc"]),
        version=match["ver"],
        sol=int(match["sol"]),
        eye=_EYES.get(match["inst"][1], ""),
    )


def _read_m20(match: re.Match[str]) -> ProductName | None:
    camera = _M20_CAMERAS.get(match["inst"])
    if camera is None:
        return None
    size = "downsampled" if match["size"] else "full"
    return ProductName(
        rover="ingenuity" if match["inst"][0] == "H" else "perseverance",
        camera=camera,
        product=_product(match),
        product_type=match["prod"],
        sample_type="thumbnail" if match["samp"] == "T" else size,
        color_type=color_of_m20(match["inst"], match["filt"], match["prod"], match["comp"]),
        version=match["ver"] or "",
        sol=int(match["sol"]) if match["sol"].isdigit() else None,  # letters: before landing, or a test bed
        sclk_s=float(f"{match['sclk']}.{match['ms']}"),
        site=_counter(match["site"]),
        eye=_EYES.get(match["inst"][1], "") if match["inst"][0] in "NFBRZ" else "",
        filter=match["filt"].strip("_"),
    )


def _read_mer(match: re.Match[str]) -> ProductName:
    eye = _EYES.get(match["eye"], "")
    place = _MER_CAMERAS[match["inst"]]
    is_paired = match["inst"] in "FRNP" and eye
    return ProductName(
        rover="opportunity" if match["scid"] == "1" else "spirit",
        camera=f"{place}_{eye}" if is_paired else place,
        product=_product(match),
        product_type=match["prod"],
        sample_type=_MER_SAMPLE_TYPES.get(match["prod"], "unknown"),
        color_type=color_of_mer(match["inst"], eye, match["filt"], match["prod"]),
        version=match["ver"],
        sclk_s=float(match["sclk"]),
        site=_counter(match["site"]),
        eye=eye,
        filter=match["filt"].strip("0"),
        sequence=match["seq"],
    )


def _read_insight(match: re.Match[str]) -> ProductName:
    return ProductName(
        rover="insight",
        camera="icc" if match["cam"] == "C" else "idc",
        product=_product(match),
        product_type=match["prod"],
        sample_type=_SAMPLE_TYPES[match["samp"]],
        color_type="unknown",  # the sensors are Bayer; whether a released file was demosaiced, its name does not tell
        version=match["ver"],
        sol=int(match["sol"]),
        sclk_s=float(match["sclk"]),
    )


_GRAMMARS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], ProductName | None]], ...]] = (
    (_MSL, _read_msl),
    (_MMM, _read_mmm),
    (_MMM_EARLY, _read_mmm),
    (_M20, _read_m20),
    (_MER, _read_mer),
    (_INSIGHT, _read_insight),
)
