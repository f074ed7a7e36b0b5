"""Records of the Perseverance and Ingenuity feed, complete, every value typed as the feed types it."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from tests.archive_server.clocks import mars_time, moment, spacecraft_clock_s
from tests.archive_server.curiosity_items import HOST, Record
from tests.archive_server.images import image_size


@dataclass(frozen=True)
class _Shot:
    """One file of a pointing: the varying parts of its name, and what its record says."""

    instrument: str
    prefix: str
    product: str
    sequence: str
    camera: str
    """Four characters: the tile of an engineering camera, the focal length of Mastcam-Z."""
    sampling: str
    """Binning digit and compression."""
    folder: str
    filter_name: str = "UNK"
    is_thumbnail: bool = False
    producer: str = "J"


_SHOTS: Final = (
    _Shot("NAVCAM_LEFT", "NLF", "ECM", "NCAM00503", "_01_", "195", "ncam"),
    _Shot("NAVCAM_LEFT", "NLF", "ECM", "NCAM00503", "_02_", "195", "ncam"),
    _Shot("NAVCAM_RIGHT", "NRF", "ECM", "NCAM00503", "_01_", "195", "ncam"),
    _Shot("NAVCAM_LEFT", "NLM", "ECM", "NCAM00503", "_00_", "2I3", "ncam", is_thumbnail=True),
    _Shot("NAVCAM_LEFT", "NLE", "ECM", "NCAM00507", "_01_", "0LL", "ncam"),
    _Shot("NAVCAM_LEFT", "NLG", "ECM", "NCAM00507", "_01_", "0LL", "ncam"),
    _Shot("FRONT_HAZCAM_LEFT_A", "FLF", "ECM", "FHAZ00200", "_00_", "195", "fcam"),
    _Shot("FRONT_HAZCAM_RIGHT_A", "FRF", "ECM", "FHAZ00200", "_00_", "195", "fcam"),
    _Shot("REAR_HAZCAM_LEFT", "RLF", "ECM", "RHAZ00200", "_00_", "195", "rcam"),
    _Shot("MCZ_LEFT", "ZL0", "EBY", "ZCAM08001", "_034", "0LU", "zcam", "ZCAM_L0_RGB"),
    _Shot("MCZ_LEFT", "ZL0", "ECM", "ZCAM08001", "_034", "0LU", "zcam", "ZCAM_L0_RGB"),
    _Shot("MCZ_LEFT", "ZL0", "ECM", "ZCAM08002", "_110", "085", "zcam", "ZCAM_L0_RGB"),
    _Shot("MCZ_RIGHT", "ZR0", "EBY", "ZCAM08001", "_034", "0LM", "zcam", "ZCAM_R0_RGB", producer="A"),
    _Shot("MCZ_LEFT", "ZL6", "ECM", "ZCAM08003", "_110", "0LU", "zcam", "ZCAM_L6_442NM"),
    _Shot("MCZ_LEFT", "ZL0", "ECM", "ZCAM08001", "_034", "385", "zcam", "ZCAM_L0_RGB", is_thumbnail=True),
    _Shot("SHERLOC_WATSON", "SIF", "EBY", "SRLC01037", "_000", "0LM", "shrlc"),
    _Shot("SHERLOC_ACI", "SC3", "ECM", "SRLC11360", "_000", "0LM", "shrlc"),
    _Shot("SUPERCAM_RMI", "LRE", "ECM", "SCAM01001", "_001", "0I6", "scam"),
    _Shot("SUPERCAM_RMI", "LRF", "EBY", "SCAM01001", "_001", "0I6", "scam"),
)
_HELICOPTER: Final = (
    _Shot("HELI_NAV", "HNM", "ECM", "HELI06416", "_000", "0A0", "heli"),
    _Shot("HELI_RTE", "HSF", "ECM", "HELI00026", "_000", "0LU", "heli"),
    _Shot("HELI_RTE", "HSF", "ECM", "HELI00026", "_000", "285", "heli", is_thumbnail=True),
)
_COMPONENTS: Final = (
    "(0.766,0.311,-1.97);(-0.684,-0.718,0.128);(-1800.1,1500.2,410.7);(400.1,390.2,2200.5);"
    "(-0.68,-0.72,0.12);(0.0003,0.001,-0.007);(0.0,0.0,0.0);2;0.0"
)


def mars2020_images(sol: int, pointing: int, received: datetime | None = None) -> list[Record]:
    """Return what one pointing of the rover's cameras leaves in the feed."""
    return [_record(shot, sol, pointing, place, received) for place, shot in enumerate(_SHOTS)]


def ingenuity_images(sol: int, pointing: int, received: datetime | None = None) -> list[Record]:
    """Return the helicopter's images of one flight."""
    return [_record(shot, sol, pointing, place, received) for place, shot in enumerate(_HELICOPTER)]


def newer_version(record: Record) -> Record:
    """Return the same image's next file version: the imageid, which has no version, comes a second time."""
    addresses: dict[str, str] = record["image_files"]
    files = {size: re.sub(r"01((_\d+)?\.\w+)$", r"02\1", address) for size, address in addresses.items()}
    return record | {"image_files": files}


def without_values(record: Record) -> Record:
    """Return the record as the feed sends it where it knows nothing: the text UNK."""
    known = {"dimension", "scaleFactor", "sclk"}
    extended = {key: value if key in known else "UNK" for key, value in record["extended"].items()}
    camera = {key: value if key == "instrument" else "UNK" for key, value in record["camera"].items()}
    return record | {"extended": extended, "camera": camera, "attitude": "UNK", "drive": "UNK"}


def _record(shot: _Shot, sol: int, pointing: int, place: int, received: datetime | None) -> Record:
    offset_s = 40_000.0 + 1_800.0 * pointing + 20 * place
    when = moment("mars2020", sol, offset_s)
    clock_s = spacecraft_clock_s(when)
    seconds, milliseconds = divmod(round(clock_s * 1000), 1000)
    stem = (
        f"{shot.prefix}_{sol:04d}_{seconds:010d}_{milliseconds:03d}{shot.product}_{'T' if shot.is_thumbnail else 'N'}"
        f"{sol // 20:03d}{sol * 7 % 3000:04d}{shot.sequence}{shot.camera}{shot.sampling}{shot.producer}"
    )
    arrival = received or moment("mars2020", sol + 1, 300 * pointing)
    return {
        "extended": _extended(shot, f"{stem}01.png", clock_s),
        "sol": sol,
        "attitude": "(0.953,-0.077,0.090,-0.278)",
        "image_files": _addresses(shot.folder, f"{stem}01", sol),
        "imageid": stem,
        "camera": {
            "instrument": shot.instrument, "filter_name": shot.filter_name, "camera_model_type": "CAHVORE",
            "camera_vector": "(-0.684,-0.718,0.128)", "camera_position": "(0.766,0.311,-1.97)",
            "camera_model_component_list": _COMPONENTS,
        },
        "caption": f"NASA's Mars Perseverance rover acquired this image on sol {sol} "
                   f"at the local mean solar time of {mars_time(offset_s)[:8]}.",
        "sample_type": "Thumbnail" if shot.is_thumbnail else "Full",
        "date_taken_mars": f"Sol-{sol:05d}M{mars_time(offset_s)}",
        "credit": "NASA/JPL-Caltech/ASU" if shot.folder == "zcam" else "NASA/JPL-Caltech",
        "date_taken_utc": f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}",
        "json_link": f"{HOST}/rss/api/?feed=raw_images&category=mars2020&feedtype=json&id={stem}",
        "link": f"{HOST}/mars2020/multimedia/raw-images/{stem}",
        "drive": str(sol * 7 % 3000),
        "title": f"Mars Perseverance Sol {sol}: {shot.instrument}",
        "site": sol // 20,
        "date_received": f"{arrival:%Y-%m-%dT%H:%M:%SZ}",
    }  # fmt: skip


def _extended(shot: _Shot, file_name: str, clock_s: float) -> dict[str, Any]:
    width, height = image_size(file_name)
    return {
        "mastAz": "-156.098", "mastEl": "-10.1652", "sclk": f"{clock_s:.3f}", "scaleFactor": "2",
        "xyz": "(35.4362,22.5714,-9.46445)", "subframeRect": f"(1,1,{2 * width},{2 * height})",
        "dimension": f"({width},{height})",
    }  # fmt: skip


def _addresses(folder: str, stem: str, sol: int) -> dict[str, str]:
    base = f"{HOST}/mars2020-raw-images/pub/ods/surface/sol/{sol:05d}/ids/edr/browse/{folder}/{stem}"
    sizes = {"small": "_320.jpg", "medium": "_800.jpg", "large": "_1200.jpg", "full_res": ".png"}
    return {size: base + ending for size, ending in sizes.items()}
