"""The feeds in memory: they speak the true schemas, and have the known quirks."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rovervision.sources.http.transport import FetchError, RangedAnswer

RSS = "https://mars.nasa.gov/rss/api"
ITEMS = "https://mars.nasa.gov/api/v1/raw_image_items"
PHOTOS = "https://photos.example/api/v1"
START = datetime(2025, 10, 1, tzinfo=UTC)


def clock(minutes: float) -> str:
    """A time of the feed, minutes after some start."""
    return (START + timedelta(minutes=minutes)).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass
class FakeTransport:
    """Answers by functions of the parameters, and writes down what it was asked."""

    routes: Mapping[str, Callable[[dict[str, str]], Any]]
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    spacings_s: list[float] = field(default_factory=list)
    headers: list[Mapping[str, str] | None] = field(default_factory=list)

    def get_json(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        *,
        spacing_s: float = 0.0,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        self.asked.append((url, dict(params or {})))
        self.spacings_s.append(spacing_s)
        self.headers.append(headers)
        if url.rstrip("/") not in self.routes:
            raise FetchError("not_found", "the server says 404.")
        return self.routes[url.rstrip("/")](dict(params or {}))

    def get_text(self, url: str, *, max_bytes: int) -> str:
        raise AssertionError(url)

    def get_file(self, url: str, *, max_bytes: int) -> bytes:
        raise AssertionError(url)

    def size_bytes(self, url: str) -> int | None:
        return len(url)

    def get_range(self, url: str, offset_bytes: int, validator: str | None) -> AbstractContextManager[RangedAnswer]:
        raise AssertionError(url)


# --- what was asked


def conditions(params: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    for key, value in params.items():
        if key.startswith("condition_"):
            wanted, name, operator = value.rsplit(":", 2) if value.count(":") > 1 else (*value.rsplit(":", 1), "eq")
            yield wanted, name, operator


def holds(value: Any, wanted: str, operator: str) -> bool:
    known = str(value).lower() if not isinstance(value, int) else value
    given: Any = wanted.lower() if not isinstance(value, int) else int(wanted)
    return {"gte": known >= given, "lte": known <= given, "eq": known == given}[operator]


def ordered(records: list[dict[str, Any]], order: str) -> list[dict[str, Any]]:
    name, direction = order.split(",", maxsplit=1)[0].split(" ")
    return sorted(records, key=lambda record: record[name], reverse=direction == "desc")


# --- Perseverance and Ingenuity


def rss_record(
    sol: int = 1646,
    n: int = 0,
    instrument: str = "NAVCAM_LEFT",
    letters: str = "NLF",
    received: str = "2025-10-07T13:35:54Z",
    version: str = "01",
    **changes: Any,
) -> dict[str, Any]:
    """A record as the feed delivers it."""
    image_id = f"{letters}_{sol:04d}_{n:010d}_097ECM_N0791204NCAM00595_01_195J"
    folder = f"{RSS.removesuffix('/rss/api')}/mars2020-raw-images/pub/ods/surface/sol/{sol:05d}/ids/edr/browse/ncam"
    stem = f"{folder}/{image_id}"
    return {
        "extended": {
            "mastAz": "-156.098", "mastEl": "-10.1652", "sclk": "813073669.716", "scaleFactor": "2",
            "xyz": "(35.4362,22.5714,-9.46445)", "subframeRect": "(2545,1,2576,1936)", "dimension": "(1288,968)",
        },
        "sol": sol,
        "attitude": "(0.953,-0.077,0.090,...)",
        "image_files": {
            "small": f"{stem}01_320.jpg", "medium": f"{stem}01_800.jpg", "large": f"{stem}01_1200.jpg",
            "full_res": f"{stem}{version}.png",
        },
        "imageid": image_id,
        "camera": {"instrument": instrument, "filter_name": "UNK", "camera_model_type": "CAHVORE"},
        "caption": "NASA's Mars Perseverance rover acquired this image.",
        "sample_type": "Full",
        "date_taken_mars": "Sol-01646M15:18:15.xxx",
        "credit": "NASA/JPL-Caltech",
        "date_taken_utc": "2025-10-07T02:08:38.572",
        "drive": "1204",
        "title": "Mars Perseverance Sol 1646: Left Navigation Camera (Navcam)",
        "site": 79,
        "date_received": received,
    } | changes  # fmt: skip


@dataclass
class FakeRss:
    """`rss/api`: caps pages at 100, drifts in types, falls back on its newest images when it dislikes a question."""

    records: list[dict[str, Any]] = field(default_factory=list)
    latest: str = clock(0)
    cap: int = 100
    category: str = "mars2020"
    latest_sols: list[int] = field(default_factory=list)
    ignores_dates: bool = False
    grows: Callable[[int], None] = lambda page: None

    def __call__(self, params: dict[str, str]) -> Any:
        if "order" not in params:
            raise FetchError("refused", "the server says 403.")
        if params.get("category") != self.category:
            raise FetchError("not_found", "the server says 404.")
        if params.get("latest") == "true":
            return self.summary()
        assert not {"sol", "extended"} & set(params), "these parameters bring wrong answers"
        assert int(params["num"]) <= 100, "asking for more gives no more"
        assert params["order"] in ("sol desc", "date_received desc"), "a plus would travel as %2B"
        found = ordered([each for each in self.records if self._answers(each, params)], params["order"])
        page = int(params["page"])
        self.grows(page)
        if not found and "condition_3" in params:
            found = ordered(self.records, "sol desc")  # the fallback
        return {
            "images": found[page * self.cap : (page + 1) * self.cap],
            "per_page": str(self.cap),
            "total_results": len(found),
            "page": page if page % 2 else str(page),
            "mission": self.category,
            "total_images": 1007431,
        }

    def summary(self) -> dict[str, Any]:
        newest = max((each["sol"] for each in self.records), default=0)
        return {
            "latest": self.latest, "new_count": 1032, "sol_count": 164, "latest_sols": self.latest_sols,
            "total": 887260, "type": "mars2020-latest-images-1.1", "latest_sol": newest,
        }  # fmt: skip

    def _answers(self, record: dict[str, Any], params: dict[str, str]) -> bool:
        asked = [name for name in params.get("search", "").split("|") if name]
        for wanted, name, operator in conditions(params):
            if not (self.ignores_dates and name == "date_received") and not holds(record[name], wanted, operator):
                return False
        return not asked or record["camera"]["instrument"] in asked


# --- Curiosity and InSight


def item(
    sol: int = 4681,
    n: int = 0,
    instrument: str = "NAV_LEFT_B",
    letters: str = "NLB",
    received: str = "2025-10-07T11:12:08.000Z",
    **changes: Any,
) -> dict[str, Any]:
    """An item as the service delivers it."""
    stem = f"{letters}_{n:09d}EDR_F1190000NCAM00445M"
    url = f"https://mars.nasa.gov/msl-raw-images/proj/msl/redops/ods/surface/sol/{sol:05d}/opgs/edr/ncam/{stem}_.JPG"
    return {
        "id": 1523343 + n, "camera_vector": None, "site": 119, "imageid": stem, "subframe_rect": "(1,1,1024,1024)",
        "sol": sol, "scale_factor": None, "camera_model_component_list": None, "instrument": instrument, "url": url,
        "spacecraft_clock": 813038955.646, "attitude": "(0.940,0.056,-0.053,...)", "camera_position": None,
        "camera_model_type": None, "drive": 1344, "xyz": "(-14.4449,44.2653,2.908)",
        "created_at": "2025-10-07T11:13:30.000Z", "updated_at": "2025-10-07T11:35:06.000Z", "mission": "msl",
        "extended": {
            "lmst": "Sol-04681M10:40:32.355", "bucket": "msl-raws", "mast_az": "346.566", "mast_el": "-44.9492",
            "url_list": url, "contributor": "Team MSLICE", "filter_name": None, "sample_type": "full",
        },
        "date_taken": "2025-10-06T17:16:46.000Z", "date_received": received, "instrument_sort": 4,
        "sample_type_sort": 999, "is_thumbnail": False, "title": f"Sol {sol}: Navcam", "description": "...",
        "link": "/raw_images/1523343", "image_credit": "NASA/JPL-Caltech", "https_url": url,
    } | changes  # fmt: skip


@dataclass
class FakeItems:
    """`raw_image_items`: at most 200 a page, `more` and `total`, conditions joined."""

    records: list[dict[str, Any]] = field(default_factory=list)
    latest: str = clock(0)
    mission: str = "msl"
    cap: int = 200
    says: tuple[str, ...] = ("more", "total", "page", "per_page")

    def routes(self) -> dict[str, Callable[[dict[str, str]], Any]]:
        return {ITEMS: self, f"{ITEMS}/{self.mission}/latest": lambda params: self.summary()}

    def __call__(self, params: dict[str, str]) -> Any:
        asked = [name for name in params.get("search", "").split("|") if name]
        found = [
            each
            for each in self.records
            if all(holds(each[name], wanted, operator) for wanted, name, operator in conditions(params))
            and (not asked or each["instrument"] in asked)
        ]
        found = ordered(found, params["order"])
        page, size = int(params["page"]), min(int(params["per_page"]), self.cap)
        told = {"more": (page + 1) * size < len(found), "total": len(found), "page": page, "per_page": size}
        return {"items": found[page * size : (page + 1) * size]} | {name: told[name] for name in self.says}

    def summary(self) -> dict[str, Any]:
        newest = max((each["sol"] for each in self.records), default=0)
        told = {"latest": self.latest, "latest_sol": newest, "latest_sols": [newest], "new_count": 1, "sol_count": 1}
        return {"success": True, "latest_data": told | {"total": len(self.records)}}


# --- the retired schema


def photo(sol: int = 1000, n: int = 0, camera: str = "NAVCAM", letters: str = "NLB", rover: str = "Curiosity") -> Any:
    """A photo as clones of api.nasa.gov/mars-photos deliver it."""
    name = f"{letters}_{n:09d}EDR_F0481570NCAM00323M_.JPG"
    return {
        "id": 102693 + n,
        "sol": sol,
        "camera": {"id": 20, "name": camera, "rover_id": 5, "full_name": "Navigation Camera"},
        "img_src": f"http://mars.jpl.nasa.gov/msl-raw-images/proj/msl/redops/ods/surface/sol/{sol:05d}/ncam/{name}",
        "earth_date": "2015-05-30",
        "rover": {"id": 5, "name": rover, "landing_date": "2012-08-06", "status": "active"},
    }


@dataclass
class FakePhotos:
    """A clone: everything of a sol in one answer, or 25 a page."""

    photos: list[Any] = field(default_factory=list)
    pages_always: bool = False
    has_manifest: bool = True

    def routes(self) -> dict[str, Callable[[dict[str, str]], Any]]:
        rover = f"{PHOTOS}/rovers/curiosity"
        known: dict[str, Callable[[dict[str, str]], Any]] = {f"{rover}/photos": self.of_sol}
        known[f"{rover}/latest_photos"] = lambda params: {"latest_photos": self._newest()}
        if self.has_manifest:
            known[f"{PHOTOS}/manifests/curiosity"] = lambda params: {"photo_manifest": self.manifest()}
        return known

    def _newest(self) -> list[Any]:
        newest = max(each["sol"] for each in self.photos)
        return [each for each in self.photos if each["sol"] == newest]

    def manifest(self) -> dict[str, Any]:
        sols: dict[int, list[Any]] = {}
        for each in self.photos:
            sols.setdefault(each["sol"], []).append(each)
        told = [
            {"sol": sol, "total_photos": len(here), "cameras": sorted({each["camera"]["name"] for each in here})}
            for sol, here in sorted(sols.items())
        ]
        return {"name": "Curiosity", "max_sol": max(sols), "total_photos": len(self.photos), "photos": told}

    def of_sol(self, params: dict[str, str]) -> Any:
        camera = params.get("camera", "").upper()
        found = [
            each
            for each in self.photos
            if each["sol"] == int(params["sol"]) and (not camera or each["camera"]["name"] == camera)
        ]
        if "page" in params or self.pages_always:
            page = int(params.get("page", "1")) - 1
            found = found[page * 25 : (page + 1) * 25]
        return {"photos": found}
