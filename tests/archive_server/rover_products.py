"""Products of Spirit and Opportunity, and the index that lists those of a volume."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tests.archive_server.clocks import moment, spacecraft_clock_s
from tests.archive_server.images import image_size
from tests.sources.exploration_rovers.volume import DESCENT_BYTES, STANDARD_BYTES, index_label, product_row

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
    _Shot("do", "e", "DESCAM", "eff", "m", 0, "p0000"),
)


def rover_products(rover: str, sol: int, pointing: int) -> list[Product]:
    """Return what one pointing of a rover's cameras leaves in the volumes; the descent camera's only on sol 1."""
    shots = _SHOTS if sol == 1 else _SHOTS[:-1]
    return [_product(rover, sol, pointing, place, shot) for place, shot in enumerate(shots)]


def index_of(products: Sequence[Product]) -> tuple[bytes, bytes]:
    """Return edrindex.lbl and edrindex.tab of one volume's products."""
    record_bytes = DESCENT_BYTES if products[0].instrument == "DESCAM" else STANDARD_BYTES
    label = index_label(record_bytes, len(products))
    return label.encode(), b"".join(_row(product) for product in products)


def _product(rover: str, sol: int, pointing: int, place: int, shot: _Shot) -> Product:
    # All versions of one image have one clock, and a thumbnail has its image's.
    first = next(turn for turn, each in enumerate(_SHOTS) if each.letter == shot.letter)
    turn = 0 if shot.version > 1 or shot.product == "eth" else place - first
    start = moment(rover, sol, 43_000.0 + 1_800 * pointing + 1_200 * "pnfrme".index(shot.letter) + 30 * turn)
    clock_s = int(spacecraft_clock_s(start))
    name = (
        f"{NUMBERS[rover]}{shot.letter}{clock_s:09d}{shot.product}{sol // 20 % 100:02d}{sol * 7 % 100:02d}"
        f"{shot.sequence}{shot.eye}{shot.filter}m{shot.version}.img"
    )
    volume = f"mer{NUMBERS[rover]}{shot.volume}_0xxx"
    return Product(rover, volume, sol, name, start, shot.instrument)


def _row(product: Product) -> bytes:
    """Return a product's row; what neither its name nor its time tells is as in the first row of mer1po_0xxx."""
    stem = product.file_name.removesuffix(".img")
    width, height = image_size(product.file_name)
    received = product.start + timedelta(hours=2)
    return product_row(
        stem,
        product.sol,
        START_TIME=_iso(product.start),
        STOP_TIME=_iso(product.start + timedelta(seconds=1)),
        EARTH_RECEIVED_START_TIME=_iso(received),
        EARTH_RECEIVED_STOP_TIME=_iso(received + timedelta(seconds=25)),
        LINES=height,
        LINE_SAMPLES=width,
        INSTRUMENT_MODE_ID="SUB_FRAME" if stem[11:14] == "esf" else "FULL_FRAME",
        ROVER_MOTION_COUNTER=f"{product.sol // 20} {product.sol * 7} 1 34 0",
    )


def _iso(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"
