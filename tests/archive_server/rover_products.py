"""Products of Spirit and Opportunity, and the rows and the label of the index that lists a volume's."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tests.archive_server.clocks import moment, spacecraft_clock_s
from tests.archive_server.images import image_size

NUMBERS: Final = {"opportunity": "1", "spirit": "2"}
"""The digit that begins a rover's volumes and file names."""


@dataclass(frozen=True)
class Product:
    """One image of a volume."""

    rover: str
    volume: str
    sol: int
    file_name: str
    """Lower case, with .img."""
    start: datetime
    instrument: str
    filter_name: str
    image_type: str

    @property
    def data_path(self) -> str:
        """The PDS image, from the rover's folder on."""
        return f"/{self.volume}/data/sol{self.sol:04d}/edr/{self.file_name}"

    @property
    def browse_path(self) -> str:
        """The JPEG for people, from the rover's folder on."""
        return f"/{self.volume}/browse/sol{self.sol:04d}/edr/{self.file_name}.jpg"


@dataclass(frozen=True)
class _Shot:
    volume: str
    letter: str
    instrument: str
    product: str
    eye: str
    filter: int
    sequence: str
    version: int = 1


_WAVELENGTHS_NM: Final = {
    "L2": 753, "L3": 673, "L4": 602, "L5": 535, "L6": 483, "L7": 440, "R1": 440, "R2": 754, "R7": 1001,
}  # fmt: skip
_SHOTS: Final = (
    *(_Shot("po", "p", "PANCAM_LEFT", "eff", "l", filter_, "p2303") for filter_ in (2, 4, 5, 6, 7)),
    _Shot("po", "p", "PANCAM_LEFT", "eff", "l", 2, "p2303", version=2),
    _Shot("po", "p", "PANCAM_RIGHT", "eff", "r", 1, "p2303"),
    _Shot("po", "p", "PANCAM_LEFT", "eth", "l", 2, "p2303"),
    _Shot("po", "p", "PANCAM_RIGHT", "esf", "r", 7, "p2305"),
    _Shot("po", "p", "PANCAM_LEFT", "erp", "l", 2, "p2305"),
    _Shot("no", "n", "NAVCAM_LEFT", "eff", "l", 0, "p1901"),
    _Shot("no", "n", "NAVCAM_RIGHT", "eff", "r", 0, "p1901"),
    _Shot("no", "n", "NAVCAM_LEFT", "eth", "l", 0, "p1901"),
    _Shot("no", "n", "NAVCAM_LEFT", "esf", "l", 0, "p1902"),
    _Shot("ho", "f", "FRONT_HAZCAM_LEFT", "eff", "l", 0, "p1211"),
    _Shot("ho", "f", "FRONT_HAZCAM_RIGHT", "eff", "r", 0, "p1211"),
    _Shot("ho", "f", "FRONT_HAZCAM_LEFT", "eth", "l", 0, "p1211"),
    _Shot("ho", "f", "FRONT_HAZCAM_LEFT", "esf", "l", 0, "p1212"),
    _Shot("ho", "r", "REAR_HAZCAM_LEFT", "eff", "l", 0, "p1311"),
    _Shot("ho", "r", "REAR_HAZCAM_RIGHT", "erp", "r", 0, "p1311"),
    _Shot("mo", "m", "MI", "eff", "m", 2, "p2936"),
)

_COLUMNS: Final = (  # name, width without quotes, whether it is quoted
    ("VOLUME_ID", 11, True), ("DATA_SET_ID", 40, True), ("INSTRUMENT_HOST_ID", 4, True), ("INSTRUMENT_ID", 18, True),
    ("PATH_NAME", 64, True), ("FILE_NAME", 32, True), ("RELEASE_ID", 4, True), ("PRODUCT_ID", 27, True),
    ("PRODUCT_CREATION_TIME", 20, False), ("TARGET_NAME", 6, True), ("MISSION_PHASE_NAME", 30, True),
    ("PLANET_DAY_NUMBER", 4, False), ("START_TIME", 20, False), ("STOP_TIME", 20, False),
    ("EARTH_RECEIVED_START_TIME", 20, False), ("EARTH_RECEIVED_STOP_TIME", 20, False),
    ("SPACECRAFT_CLOCK_START_COUNT", 30, True), ("SPACECRAFT_CLOCK_STOP_COUNT", 30, True), ("SEQUENCE_ID", 30, True),
    ("OBSERVATION_ID", 20, True), ("LOCAL_TRUE_SOLAR_TIME", 12, True), ("LINES", 4, False),
    ("LINE_SAMPLES", 4, False), ("FIRST_LINE", 4, False), ("FIRST_LINE_SAMPLE", 4, False),
    ("INSTRUMENT_SERIAL_NUMBER", 4, True), ("INSTRUMENT_MODE_ID", 20, True), ("INST_CMPRS_RATIO", 12, False),
    ("INST_CMPRS_MODE", 4, False), ("INST_CMPRS_FILTER", 1, True), ("IMAGE_ID", 12, True), ("IMAGE_TYPE", 10, True),
    ("EXPOSURE_DURATION", 12, False), ("ERROR_PIXELS", 10, False), ("FILTER_NAME", 24, True),
    ("FILTER_NUMBER", 4, False), ("FRAME_ID", 5, True), ("FRAME_TYPE", 6, True), ("AZIMUTH_FOV", 10, False),
    ("ELEVATION_FOV", 10, False), ("SITE_INSTRUMENT_AZIMUTH", 10, False), ("SITE_INSTRUMENT_ELEVATION", 10, False),
    ("ROVER_INSTRUMENT_AZIMUTH", 10, False), ("ROVER_INSTRUMENT_ELEVATION", 10, False), ("SOLAR_AZIMUTH", 11, False),
    ("SOLAR_ELEVATION", 10, False), ("SOLAR_LONGITUDE", 11, False), ("APPLICATION_PROCESS_ID", 4, False),
    ("REFERENCE_COORD_SYSTEM_NAME", 20, True), ("TELEMETRY_SOURCE_NAME", 61, True),
    ("ROVER_MOTION_COUNTER", 6, False),  # five of them
    ("FLAT_FIELD_CORRECTION_FLAG", 1, True), ("SHUTTER_EFFECT_CORRECTION_FLAG", 1, True),
    ("PIXEL_AVERAGING_HEIGHT", 4, False), ("PIXEL_AVERAGING_WIDTH", 4, False),
)  # fmt: skip
_COUNTERS: Final = 5
_ROW_BYTES: Final = 933


def rover_products(rover: str, sol: int, pointing: int) -> list[Product]:
    """Return what one pointing of a rover's cameras leaves in the volumes."""
    return [_product(rover, sol, pointing, place, shot) for place, shot in enumerate(_SHOTS)]


def index_row(product: Product, release: int = 1) -> bytes:
    """Return a product's row of edrindex.tab: 59 fields between tabs, padded, CR LF, 933 bytes in all."""
    values = _values(product, release)
    fields = []
    for name, width, is_quoted in _COLUMNS:
        for value in values[name] if isinstance(values[name], tuple) else (values[name],):
            text = str(value).ljust(width)
            fields.append(f'"{text}"' if is_quoted else text)
    row = "\t".join(fields).encode() + b"\r\n"
    assert len(row) == _ROW_BYTES, (len(row), product)
    return row


def index_label(rows: int) -> str:
    """Return edrindex.lbl, which says where in a row each column stands."""
    head = [
        "PDS_VERSION_ID = PDS3", "RECORD_TYPE = FIXED_LENGTH", f"RECORD_BYTES = {_ROW_BYTES}",
        f"FILE_RECORDS = {rows}", '^INDEX_TABLE = "EDRINDEX.TAB"', "", "OBJECT = INDEX_TABLE",
        "  INTERCHANGE_FORMAT = ASCII", f"  ROWS = {rows}", f"  COLUMNS = {len(_COLUMNS)}",
        f"  ROW_BYTES = {_ROW_BYTES}", "  INDEX_TYPE = CUMULATIVE",
    ]  # fmt: skip
    return "\r\n".join([*head, *_column_objects(), "END_OBJECT = INDEX_TABLE", "END", ""])


def _column_objects() -> Iterator[str]:
    start = 1
    for number, (name, width, is_quoted) in enumerate(_COLUMNS, 1):
        items = _COUNTERS if name == "ROVER_MOTION_COUNTER" else 1
        yield "  OBJECT = COLUMN"
        yield f"    COLUMN_NUMBER = {number}"
        yield f"    NAME = {name}"
        yield f"    DATA_TYPE = {'CHARACTER' if is_quoted else 'TIME' if name.endswith('TIME') else 'ASCII_REAL'}"
        yield f"    START_BYTE = {start + is_quoted}"  # the quotes are no part of the value
        yield f"    BYTES = {items * width + items - 1}"
        if items > 1:
            yield from (f"    ITEMS = {items}", f"    ITEM_BYTES = {width}", f"    ITEM_OFFSET = {width + 1}")
        yield f'    DESCRIPTION = "The {name.lower().replace("_", " ")} of the product: see the catalog."'
        yield "  END_OBJECT = COLUMN"
        start += items * (width + 1) + 2 * is_quoted


def volume_label_rows(products: Iterable[Product]) -> tuple[bytes, bytes]:
    """Return edrindex.lbl and edrindex.tab of a volume."""
    rows = [index_row(product) for product in products]
    return index_label(len(rows)).encode(), b"".join(rows)


def _product(rover: str, sol: int, pointing: int, place: int, shot: _Shot) -> Product:
    # All versions of one image have one clock, and a thumbnail has its image's.
    first = next(turn for turn, each in enumerate(_SHOTS) if each.letter == shot.letter)
    turn = 0 if shot.version > 1 or shot.product == "eth" else place - first
    start = moment(rover, sol, 43_000.0 + 1_800 * pointing + 1_200 * "pnfrm".index(shot.letter) + 30 * turn)
    clock_s = int(spacecraft_clock_s(start))
    name = (
        f"{NUMBERS[rover]}{shot.letter}{clock_s:09d}{shot.product}{sol // 20 % 100:02d}{sol * 7 % 100:02d}"
        f"{shot.sequence}{shot.eye}{shot.filter}m{shot.version}.img"
    )
    filter_ = f"{shot.eye.upper()}{shot.filter}"
    wavelength = f"PANCAM_{filter_}_{_WAVELENGTHS_NM.get(filter_)}NM"
    filter_name = wavelength if shot.letter == "p" else "MI_OPEN" if shot.letter == "m" else "N/A"
    volume = f"mer{NUMBERS[rover]}{shot.volume}_0xxx"
    image_type = "THUMBNAIL" if shot.product == "eth" else "REF_PIXELS" if shot.product == "erp" else "REGULAR"
    return Product(rover, volume, sol, name, start, shot.instrument, filter_name, image_type)


def _values(product: Product, release: int) -> dict[str, object]:
    number, stem = NUMBERS[product.rover], product.file_name.removesuffix(".img")
    width, height = image_size(product.file_name)
    eye = {"l": "LEFT", "r": "RIGHT"}.get(stem[23], "N/A")
    clock = f"{stem[2:11]}.621"
    family = (
        product.instrument.removesuffix("_LEFT").removesuffix("_RIGHT").removeprefix("FRONT_").removeprefix("REAR_")
    )
    solar = {"SOLAR_AZIMUTH": "260.595000", "SOLAR_ELEVATION": "36.723700", "SOLAR_LONGITUDE": "339.153500"}
    zeros = {
        name: "-6.212310" for name, width, _ in _COLUMNS if name.endswith(("_AZIMUTH", "_ELEVATION", "_FOV"))
    }  # fmt: skip
    return zeros | solar | {
        "VOLUME_ID": product.volume, "DATA_SET_ID": f"MER{number}-M-{family}-2-EDR-OPS-V1.0",
        "INSTRUMENT_HOST_ID": f"MER{number}", "INSTRUMENT_ID": product.instrument,
        "PATH_NAME": product.data_path.removesuffix(product.file_name), "FILE_NAME": product.file_name,
        "RELEASE_ID": f"{release:04d}", "PRODUCT_ID": stem.upper(), "PRODUCT_CREATION_TIME": "2004-06-03T06:47:07Z",
        "TARGET_NAME": "MARS", "MISSION_PHASE_NAME": "PRIMARY MISSION", "PLANET_DAY_NUMBER": product.sol,
        "START_TIME": _iso(product.start), "STOP_TIME": _iso(product.start + timedelta(seconds=1)),
        "EARTH_RECEIVED_START_TIME": _iso(product.start + timedelta(hours=2)),
        "EARTH_RECEIVED_STOP_TIME": _iso(product.start + timedelta(hours=2, seconds=25)),
        "SPACECRAFT_CLOCK_START_COUNT": clock, "SPACECRAFT_CLOCK_STOP_COUNT": clock, "SEQUENCE_ID": stem[18:23],
        "OBSERVATION_ID": "0", "LOCAL_TRUE_SOLAR_TIME": "15:32:30", "LINES": height, "LINE_SAMPLES": width,
        "FIRST_LINE": 1, "FIRST_LINE_SAMPLE": 1, "INSTRUMENT_SERIAL_NUMBER": "115",
        "INSTRUMENT_MODE_ID": "SUB_FRAME" if stem[11:14] == "esf" else "FULL_FRAME", "INST_CMPRS_RATIO": "14.961700",
        "INST_CMPRS_MODE": 2, "INST_CMPRS_FILTER": "A", "IMAGE_ID": "1001043", "IMAGE_TYPE": product.image_type,
        "EXPOSURE_DURATION": "220.160000", "ERROR_PIXELS": 71, "FILTER_NAME": product.filter_name,
        "FILTER_NUMBER": stem[24], "FRAME_ID": eye, "FRAME_TYPE": "MONO", "APPLICATION_PROCESS_ID": 21,
        "REFERENCE_COORD_SYSTEM_NAME": "ROVER_FRAME",
        "TELEMETRY_SOURCE_NAME": f"021_001_{stem[18:23]}-004-0003_003_0{stem[2:11]}-159.dat",
        "ROVER_MOTION_COUNTER": (product.sol // 20, product.sol * 7, 1, 34, 0), "FLAT_FIELD_CORRECTION_FLAG": "0",
        "SHUTTER_EFFECT_CORRECTION_FLAG": "1", "PIXEL_AVERAGING_HEIGHT": 1, "PIXEL_AVERAGING_WIDTH": 1,
    }  # fmt: skip


def _iso(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"
