"""The feeds' names of cameras, and ours."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Final

from rovervision.errors import RovervisionError

Instruments = Mapping[str, tuple[str, ...]]
"""For each camera in our words, the feed's names of it."""

_SIDES: Final = ("left", "right")

CURIOSITY: Final[Instruments] = {
    **{f"navcam_{side}": (f"NAV_{side.upper()}_A", f"NAV_{side.upper()}_B") for side in _SIDES},
    **{f"front_hazcam_{side}": (f"FHAZ_{side.upper()}_A", f"FHAZ_{side.upper()}_B") for side in _SIDES},
    **{f"rear_hazcam_{side}": (f"RHAZ_{side.upper()}_A", f"RHAZ_{side.upper()}_B") for side in _SIDES},
    **{f"mastcam_{side}": (f"MAST_{side.upper()}",) for side in _SIDES},
    "mahli": ("MAHLI",),
    "mardi": ("MARDI",),
    "chemcam_rmi": ("CHEMCAM_RMI",),
}
"""A and B are the cameras of the one and the other main computer; they sit side by side."""

INSIGHT: Final[Instruments] = {"icc": ("icc",), "idc": ("idc",)}

PERSEVERANCE: Final[Instruments] = {
    **{f"navcam_{side}": (f"NAVCAM_{side.upper()}",) for side in _SIDES},
    **{f"mastcamz_{side}": (f"MCZ_{side.upper()}",) for side in _SIDES},
    **{f"front_hazcam_{side}": (f"FRONT_HAZCAM_{side.upper()}_A", f"FRONT_HAZCAM_{side.upper()}_B") for side in _SIDES},
    **{f"rear_hazcam_{side}": (f"REAR_HAZCAM_{side.upper()}",) for side in _SIDES},
    "supercam_rmi": ("SUPERCAM_RMI",),
    "watson": ("SHERLOC_WATSON",),
    "sherloc_aci": ("SHERLOC_ACI",),
    "pixl_mcc": ("PIXL_MCC",),
    "skycam": ("SKYCAM",),
    "cachecam": ("CACHECAM",),
    "descent_stage_downlook": ("EDL_DDCAM",),
    "parachute_uplook_a": ("EDL_PUCAM1",),
    "parachute_uplook_b": ("EDL_PUCAM2",),
    "rover_uplook": ("EDL_RUCAM",),
    "rover_downlook": ("EDL_RDCAM",),
    "lander_vision": ("LCAM",),
}

INGENUITY: Final[Instruments] = {"heli_nav": ("HELI_NAV",), "heli_rte": ("HELI_RTE",)}

_LEGACY_HAZCAMS: Final[Instruments] = {
    **{f"front_hazcam_{side}": ("FHAZ",) for side in _SIDES},
    **{f"rear_hazcam_{side}": ("RHAZ",) for side in _SIDES},
    **{f"navcam_{side}": ("NAVCAM",) for side in _SIDES},
}
_LEGACY_TWINS: Final[Instruments] = {**_LEGACY_HAZCAMS, **{f"pancam_{side}": ("PANCAM",) for side in _SIDES}}

MARS_PHOTOS: Final[Mapping[str, Instruments]] = {
    "curiosity": {
        **_LEGACY_HAZCAMS,
        **{f"mastcam_{side}": ("MAST",) for side in _SIDES},
        "mahli": ("MAHLI",),
        "mardi": ("MARDI",),
        "chemcam_rmi": ("CHEMCAM",),
    },
    "perseverance": PERSEVERANCE,
    "opportunity": _LEGACY_TWINS,
    "spirit": _LEGACY_TWINS,
}
"""The names of api.nasa.gov/mars-photos: for three rovers one for both eyes, which the product name tells apart."""


def instruments_of(cameras: Collection[str], known: Instruments, query_name: str, source: str) -> tuple[str, ...]:
    """Return the feed's names of cameras in our words, each once; none for all cameras.

    Raises:
        RovervisionError: A camera is unknown. The sentence names the nearest, and all known ones.
    """
    for camera in cameras:
        if camera not in known:
            near = get_close_matches(camera, known, n=1, cutoff=0.4)
            hint = f"Did you mean `{near[0]}`? " if near else ""
            raise RovervisionError(
                f"The query `{query_name}` asks {source} for the unknown camera `{camera}`. {hint}"
                f"Known: {', '.join(known)}."
            )
    return tuple(dict.fromkeys(name for camera in cameras for name in known[camera]))


def camera_words(known: Instruments) -> dict[str, str]:
    """Return our word for each of a feed's names, in upper case, that stands for one camera only."""
    words: dict[str, list[str]] = {}
    for camera, names in known.items():
        for name in names:
            words.setdefault(name.upper(), []).append(camera)
    return {name: cameras[0] for name, cameras in words.items() if len(cameras) == 1}
