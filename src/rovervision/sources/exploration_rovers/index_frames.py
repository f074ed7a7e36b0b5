"""From a row of an index to a frame: chosen by its name first, described only when wanted."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from rovervision.errors import RovervisionError
from rovervision.sources.exploration_rovers.counters import decode_counter
from rovervision.sources.exploration_rovers.index_label import IndexLayout
from rovervision.sources.exploration_rovers.index_rows import IndexRow, record_of, values_of
from rovervision.sources.exploration_rovers.volumes import Volume, image_name
from rovervision.sources.frame import Frame, Query
from rovervision.sources.product_names import parse_product_name

NOT_PICTURES: Final = frozenset({"ERP", "ERS", "ECS", "EHG"})
"""Reference pixels, sums of rows and columns, histograms: raw products that show nothing."""

_CAMERA_OF: Final = {
    "PL": "pancam_left", "PR": "pancam_right",
    "NL": "navcam_left", "NR": "navcam_right",
    "FL": "front_hazcam_left", "FR": "front_hazcam_right",
    "RL": "rear_hazcam_left", "RR": "rear_hazcam_right",
}  # fmt: skip
_UTC: Final = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?)Z?", re.ASCII)
_CLOCK: Final = re.compile(r"\d{1,12}(?:\.\d{1,6})?", re.ASCII)
_MAX_SIDE_PX: Final = 1024
"""The sensors of all cameras have 1024 x 1024 pixels."""


def row_chooser(query: Query) -> Callable[[IndexRow], bool]:
    """Return the test of whether a row may answer a query, by name and sol alone. What it refuses does not.

    Raises RovervisionError for a query that asks for nothing but products that are no pictures.
    """
    wanted_types = frozenset(query.product_types) - NOT_PICTURES
    if query.product_types and not wanted_types:
        raise RovervisionError(
            f"The query `{query.name}` asks only for {', '.join(query.product_types)}, which are no pictures. "
            "Pictures are EFF (full frame), ESF (subframe), EDN (downsampled) and ETH (thumbnail)."
        )
    cameras, first = frozenset(query.cameras), query.sol_min or 0
    last = query.sol_max if query.sol_max is not None else 1 << 30

    def may_answer(row: IndexRow) -> bool:
        name = row.product_id
        product_type = name[11:14]
        if product_type not in wanted_types if wanted_types else product_type in NOT_PICTURES:
            return False
        if not first <= row.sol <= last or row.sol % query.sol_step:
            return False
        return not cameras or _CAMERA_OF.get(name[1] + name[23], "") in cameras or name[1] in "ME"

    return may_answer


@dataclass(frozen=True)
class FrameMaker:
    """Describes rows of one volume's index."""

    base_url: str
    volume: Volume
    layout: IndexLayout
    query: str
    """The name of the query that the frames answer."""
    file_kind: Literal["browse", "label"]

    def frame(self, row: IndexRow) -> Frame | None:
        """Return the frame of a row; None where its name or path has not the archive's form."""
        name = parse_product_name(row.product_id)
        values = values_of(row, self.layout)
        path = _text(values, "PATH_NAME")
        url = self.volume.image_url(self.base_url, row.product_id, row.sol, self.file_kind, path)
        if name is None or url is None or name.rover != self.volume.rover:
            return None
        width_px, height_px = self._size_px(values, name.sample_type)
        return Frame(
            frame_id=row.product_id.lower().replace("#", "_"),
            file_name=image_name(row.product_id, self.file_kind),
            source="exploration_rovers",
            query=self.query,
            rover=name.rover,
            camera=name.camera,
            sol=row.sol,
            taken_utc=_utc(values, "START_TIME"),
            received_utc=_utc(values, "EARTH_RECEIVED_STOP_TIME"),
            sclk_s=_clock_s(values, name.sclk_s),
            site=_site(values, row.product_id),
            width_px=width_px,
            height_px=height_px,
            sample_type=_sample_type(values, name.sample_type),
            product_type=name.product_type,
            color_type=name.color_type,
            filter=name.filter,
            version=name.version,
            url=url,
            record=record_of(values),
        )

    def _size_px(self, values: dict[str, str | list[str]], sample_type: str) -> tuple[int | None, int | None]:
        """Return width and height. The index tells those of the PDS image; the JPEG has them if the frame is full."""
        if self.file_kind == "browse" and sample_type != "full":
            return None, None
        return _side_px(values, "LINE_SAMPLES"), _side_px(values, "LINES")


def _text(values: dict[str, str | list[str]], column: str) -> str:
    value = values.get(column, "")
    return value if isinstance(value, str) else ""


def _utc(values: dict[str, str | list[str]], column: str) -> str | None:
    time = _UTC.fullmatch(_text(values, column))
    return f"{time[1]}Z" if time else None


def _side_px(values: dict[str, str | list[str]], column: str) -> int | None:
    text = _text(values, column)
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) and 0 < int(text) <= _MAX_SIDE_PX else None


def _clock_s(values: dict[str, str | list[str]], from_name_s: float | None) -> float | None:
    text = _text(values, "SPACECRAFT_CLOCK_START_COUNT")
    return float(text) if _CLOCK.fullmatch(text) else from_name_s


def _site(values: dict[str, str | list[str]], product_id: str) -> str | None:
    counter = values.get("ROVER_MOTION_COUNTER")
    if isinstance(counter, list) and counter and re.fullmatch(r"[0-9]{1,6}", counter[0]):
        return str(int(counter[0]))
    site = decode_counter(product_id[14:16])
    return None if site is None else str(site)


def _sample_type(values: dict[str, str | list[str]], from_name: str) -> str:
    is_thumbnail = from_name == "unknown" and _text(values, "IMAGE_TYPE") == "THUMBNAIL"
    return "thumbnail" if is_thumbnail else from_name
