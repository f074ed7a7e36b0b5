"""Items of the Curiosity and InSight feed: 29 keys and up to 8 more in `extended`, as the feed sends them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from tests.archive_server.clocks import mars_time, moment, spacecraft_clock_s
from tests.archive_server.images import image_size

Record = dict[str, Any]
HOST: Final = "@HOST@"
"""Stands in every address for the server's own, which is known only when it runs."""

_TITLES: Final = {
    "MAST": "Mast Camera (Mastcam)", "MAHL": "Mars Hand Lens Imager (MAHLI)", "MARD": "Mars Descent Imager (MARDI)",
    "CHEM": "Chemistry & Camera (ChemCam)", "NAV_": "Navigation Camera", "FHAZ": "Front Hazcam", "RHAZ": "Rear Hazcam",
}  # fmt: skip


@dataclass(frozen=True)
class _Shot:
    """One engineering camera's file."""

    instrument: str
    prefix: str
    folder: str
    sequence: str
    sample: str


_ENGINEERING: Final = (
    _Shot("NAV_LEFT_B", "NLB_", "ncam", "NCAM00445", "F"),
    _Shot("NAV_RIGHT_B", "NRB_", "ncam", "NCAM00445", "F"),
    _Shot("NAV_LEFT_B", "NLB_", "ncam", "NCAM00353", "S"),
    _Shot("NAV_LEFT_B", "NLB_", "ncam", "NCAM00353", "D"),
    _Shot("NAV_LEFT_B", "NLB_", "ncam", "NCAM00353", "T"),
    _Shot("NAV_RIGHT_B", "NRB_", "ncam", "NCAM00353", "T"),
    _Shot("FHAZ_LEFT_B", "FLB_", "fcam", "FHAZ00323", "F"),
    _Shot("FHAZ_RIGHT_B", "FRB_", "fcam", "FHAZ00323", "F"),
    _Shot("RHAZ_LEFT_B", "RLB_", "rcam", "RHAZ00311", "F"),
    _Shot("RHAZ_RIGHT_B", "RRB_", "rcam", "RHAZ00311", "T"),
)
_SAMPLES: Final = {"F": "full", "S": "subframe", "D": "downsampled", "T": "thumbnail"}
# Instrument, letters, folder, types: E and F colour, C mosaic, I thumbnail, D gray, R merged, S range map.
_MALIN: Final = (
    ("MAST_LEFT", "ML", "mcam", "EICF"),
    ("MAST_RIGHT", "MR", "mcam", "EICD"),
    ("MAHLI", "MH", "mhli", "EIRSC"),
    ("MARDI", "MD", "mrdi", "E"),
)
_MALIN_SAMPLES: Final = {"I": "thumbnail", "S": "full", "C": "full", "D": "full"}


def curiosity_items(sol: int, pointing: int, received: datetime | None = None, is_first: bool = False) -> list[Record]:
    """Return what one pointing of all cameras leaves in the feed; the early short name where it is the first."""
    start_s = 36_000.0 + 1_800.0 * pointing
    records = [*_engineering(sol, start_s), *_malin(sol, pointing, start_s), _chemcam(sol, start_s + 900)]
    if is_first:
        early = f"{sol:04d}ML0000125{pointing:03d}E1_DXXX"
        records.append(_malin_record("MAST_LEFT", early, sol, start_s + 1_000, "mcam", "full"))
    return _numbered(records, sol, pointing, received)


def insight_items(sol: int, pointing: int, received: datetime | None = None) -> list[Record]:
    """Return one image of either camera of InSight."""
    records = []
    for turn, (instrument, letter, flag) in enumerate((("icc", "C", "M"), ("idc", "D", "L"))):
        offset_s = 50_000.0 + 900 * pointing + 60 * turn
        when = moment("insight", sol, offset_s)
        clock_s = spacecraft_clock_s(when)
        number = "000" if letter == "C" else "001"
        name = f"{letter}{number}{flag}{sol:04d}_{int(clock_s):09d}EDR_F{turn:04d}_{461 + turn:04d}M_"
        url = f"{HOST}/insight-raw-images/surface/sol/{sol:04d}/{instrument}/{name}.JPG"
        title = "Instrument Context Camera (ICC)" if letter == "C" else "Instrument Deployment Camera (IDC)"
        record = _record("insight", name, instrument, sol, when, url, "99", f"Sol {sol}: {title}")
        record |= {"site": None, "drive": None, "xyz": None, "attitude": None, "scale_factor": 1}
        record |= {"spacecraft_clock": round(clock_s, 5), "extended": {"localtime": mars_time(offset_s)}}
        record |= {"subframe_rect": _rectangle(f"{name}.JPG"), "image_credit": "NASA/JPL-Caltech"}
        records.append(record)
    return _numbered(records, sol, pointing, received)


def _engineering(sol: int, start_s: float) -> Iterator[Record]:
    for turn, shot in enumerate(_ENGINEERING):
        offset_s = start_s + 30 * turn
        when = moment("msl", sol, offset_s)
        clock_s = spacecraft_clock_s(when)
        name = f"{shot.prefix}{int(clock_s):09d}EDR_{shot.sample}{sol // 20:03d}{sol * 7 % 3000:04d}{shot.sequence}M_"
        folder = f"/msl-raw-images/proj/msl/redops/ods/surface/sol/{sol:05d}/opgs/edr/{shot.folder}"
        sample = _SAMPLES[shot.sample]
        record = _record("msl", name, shot.instrument, sol, when, f"{HOST}{folder}/{name}.JPG", sample)
        yield record | {"spacecraft_clock": round(clock_s, 3), "subframe_rect": _rectangle(f"{name}.JPG")}


def _malin(sol: int, pointing: int, start_s: float) -> Iterator[Record]:
    number = 0
    for instrument, letters, folder, kinds in _MALIN:
        for kind in kinds:
            number += 1
            sequence = f"{sol * 50 % 1_000_000:06d}{pointing:03d}{number:02d}{sol * 40 % 100_000:05d}"
            name = f"{sol:04d}{letters}{sequence}{kind}01_DXXX"
            offset_s = start_s + 400 + 10 * number
            yield _malin_record(instrument, name, sol, offset_s, folder, _MALIN_SAMPLES.get(kind, "full"))


def _malin_record(instrument: str, name: str, sol: int, offset_s: float, folder: str, sample: str) -> Record:
    """Return a record of the cameras of Malin Space Science Systems: no geometry at all, no clock, no site."""
    url = f"{HOST}/msl-raw-images/msss/{sol:05d}/{folder}/{name}.jpg"
    record = _record("msl", name, instrument, sol, moment("msl", sol, offset_s), url, sample)
    nothing = ("site", "drive", "xyz", "attitude", "spacecraft_clock", "subframe_rect", "scale_factor")
    extended = {"bucket": "msl-raws", "contributor": "MSSS", "filter_name": None, "sample_type": sample}
    record |= dict.fromkeys(nothing)
    return record | {"extended": extended, "image_credit": "NASA/JPL-Caltech/MSSS"}


def _chemcam(sol: int, offset_s: float) -> Record:
    when = moment("msl", sol, offset_s)
    clock_s = spacecraft_clock_s(when)
    name = f"CR0_{int(clock_s):09d}PRC_F{sol // 20:03d}{sol * 7 % 3000:04d}CCAM01310_AUTOPROCESS"
    url = f"{HOST}/msl-raw-images/proj/msl/redops/ods/surface/sol/{sol:05d}/soas/rdr/ccam/{name}.PNG"
    record = _record("msl", name, "CHEMCAM_RMI", sol, when, url, "chemcam prc")
    return record | {
        "spacecraft_clock": round(clock_s, 3),
        "subframe_rect": _rectangle(f"{name}.PNG"),
        "image_credit": "NASA/JPL-Caltech/LANL",
    }


def _rectangle(file_name: str) -> str:
    width, height = image_size(file_name)
    return f"(1,1,{width},{height})"


def _record(
    mission: str, name: str, instrument: str, sol: int, when: datetime, url: str, sample: str, title: str = ""
) -> Record:
    return {
        "id": 0, "camera_vector": None, "site": sol // 20, "imageid": name, "subframe_rect": None, "sol": sol,
        "scale_factor": None, "camera_model_component_list": None, "instrument": instrument, "url": url,
        "spacecraft_clock": None, "attitude": "(0.940,0.056,-0.053,0.331)", "camera_position": None,
        "camera_model_type": None, "drive": sol * 7 % 3000, "xyz": "(-14.4449,44.2653,2.908)",
        "created_at": "", "updated_at": "", "mission": mission,
        "extended": {
            "lmst": f"Sol-{sol:05d}M10:40:32.355", "bucket": "msl-raws", "mast_az": "346.566", "mast_el": "-44.9492",
            "url_list": url, "contributor": "Team MSLICE", "filter_name": None, "sample_type": sample,
        },
        "date_taken": _iso(when), "date_received": "", "instrument_sort": 4, "sample_type_sort": 999,
        "is_thumbnail": sample == "thumbnail",
        "title": title or f"Sol {sol}: {_TITLES[instrument[:4]]}",
        "description": f"This image was taken by {instrument} onboard NASA's Mars rover on Sol {sol} ({_iso(when)}).",
        "link": "", "image_credit": "NASA/JPL-Caltech", "https_url": url,
    }  # fmt: skip


def _numbered(records: list[Record], sol: int, pointing: int, received: datetime | None) -> list[Record]:
    """Give the records the numbers and dates that the feed's database gives them."""
    for place, record in enumerate(records):
        number = sol * 10_000 + pointing * 100 + place
        arrival = received or moment(record["mission"], sol + 1, 300 * pointing)
        record["id"], record["link"] = number, f"/raw_images/{number}"
        record["date_received"] = _iso(arrival)
        record["created_at"] = record["updated_at"] = _iso(arrival + timedelta(seconds=82))
    return records


def _iso(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"
