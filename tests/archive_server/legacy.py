"""The retired mars-photos schema: one address where a community's clone serves it, one where nobody does any more."""

from datetime import UTC, datetime, timedelta
from threading import Lock
from time import monotonic, time
from typing import Any, Final
from urllib.parse import parse_qsl

from tests.archive_server.answers import HEROKU, Answer, as_json, page
from tests.archive_server.catalog import Catalog
from tests.archive_server.clocks import SOL_S
from tests.archive_server.volumes import BASE

CLONE: Final = "/clone/api/v1"
RETIRED: Final = "/mars-photos/api/v1"
PAGE_PHOTOS: Final = 25
_ROVERS: Final = {
    "curiosity": (5, "2012-08-06", "2011-11-26", "active"),
    "spirit": (7, "2004-01-04", "2003-06-10", "complete"),
    "opportunity": (6, "2004-01-25", "2003-07-07", "complete"),
    "perseverance": (8, "2021-02-18", "2020-07-30", "active"),
}
_CAMERAS: Final = {
    "FHAZ": "Front Hazard Avoidance Camera", "RHAZ": "Rear Hazard Avoidance Camera", "NAVCAM": "Navigation Camera",
    "MAST": "Mast Camera", "MAHLI": "Mars Hand Lens Imager", "MARDI": "Mars Descent Imager",
    "CHEMCAM": "Chemistry and Camera Complex", "PANCAM": "Panoramic Camera", "MINITES": "Microscopic Imager",
}  # fmt: skip
_CURIOSITY: Final = {"NAV": "NAVCAM", "CHEM": "CHEMCAM"}


class Quota:
    """So many answers in so many seconds; then 429 until the window ends."""

    def __init__(self, limit: int, window_s: float) -> None:
        self.limit = limit
        self.window_s = window_s
        self._lock = Lock()
        self._used = 0
        self._began_s = monotonic()

    def take(self) -> tuple[bool, dict[str, str]]:
        """Count one answer; return whether it may be given, and the headers that tell."""
        with self._lock:
            if monotonic() - self._began_s > self.window_s:
                self._used, self._began_s = 0, monotonic()
            self._used += 1
            rest_s = max(0.0, self._began_s + self.window_s - monotonic())
            headers = {
                "X-RateLimit-Limit": str(self.limit),
                "X-RateLimit-Remaining": str(max(0, self.limit - self._used)),
                "X-RateLimit-Reset": str(int(time() + rest_s) + 1),
            }
            return self._used <= self.limit, headers


def answer(path: str, query: str, catalog: Catalog, quota: Quota, host: str) -> Answer:
    """Answer a route below either address."""
    if path.startswith(RETIRED):
        return page(404, HEROKU)
    may, headers = quota.take()
    if not may:
        error = {"error": {"code": "OVER_RATE_LIMIT", "message": "You have exceeded your rate limit. Try again later."}}
        return as_json(error, status=429, headers=headers)
    parameters = dict(parse_qsl(query))
    parts = [part.lower() for part in path.removeprefix(CLONE).strip("/").split("/")]
    status, body = _route(parts, parameters, catalog)
    return as_json(body, host, status, headers)


def _route(parts: list[str], parameters: dict[str, str], catalog: Catalog) -> tuple[int, Any]:
    match parts:
        case ["rovers"]:
            return 200, {"rovers": [_rover(name) for name in _ROVERS]}
        case ["photos", number]:
            every = [photo for name in _ROVERS for photo in photos_of(name, catalog)]
            found = [photo for photo in every if str(photo["id"]) == number]
            return (200, {"photo": found[0]}) if found else (404, {"errors": "Not Found"})
        case ["rovers" | "manifests" as what, name, *rest]:
            if name not in _ROVERS:
                return 400, {"errors": "Invalid Rover Name"}
            return _rover_route([what, *rest], name, photos_of(name, catalog), parameters)
    return 404, {"errors": "Not Found"}


def _rover_route(
    parts: list[str], rover: str, photos: list[dict[str, Any]], parameters: dict[str, str]
) -> tuple[int, Any]:
    match parts:
        case ["rovers"]:
            return 200, {"rover": _rover(rover)}
        case ["manifests"]:
            return 200, {"photo_manifest": _manifest(rover, photos)}
        case ["rovers", "photos"]:
            return 200, {"photos": _chosen(photos, parameters)}
        case ["rovers", "latest_photos"]:
            newest = max((photo["sol"] for photo in photos), default=0)
            return 200, {"latest_photos": _chosen(photos, parameters | {"sol": str(newest)})}
    return 404, {"errors": "Not Found"}


def photos_of(rover: str, catalog: Catalog) -> list[dict[str, Any]]:
    """Return a rover's photos in the legacy schema, in the order of the feeds."""
    if rover == "curiosity":
        shown = [
            (item["sol"], _curiosity_camera(item["instrument"]), item["url"]) for item in catalog.items.get("msl", [])
        ]
    elif rover == "perseverance":
        images = [image for image in catalog.images.get("mars2020", []) if image["sample_type"] == "Full"]
        shown = [(image["sol"], image["camera"]["instrument"], image["image_files"]["large"]) for image in images]
    else:
        products = [product for product in catalog.products if product.rover == rover]
        host = f"@HOST@{BASE}/{rover}"
        shown = [(each.sol, _rover_camera(each.instrument), host + each.browse_path) for each in products]
    number = _ROVERS[rover][0]
    return [_photo(rover, number * 100_000 + place, *each) for place, each in enumerate(shown)]


def _photo(rover: str, number: int, sol: int, camera: str, url: str) -> dict[str, Any]:
    return {
        "id": number, "sol": sol,
        "camera": {"id": 20, "name": camera, "rover_id": _ROVERS[rover][0], "full_name": _CAMERAS.get(camera, camera)},
        "img_src": url, "earth_date": _earth_date(rover, sol), "rover": _rover(rover),
    }  # fmt: skip


def _rover(name: str) -> dict[str, Any]:
    number, landed, launched, status = _ROVERS[name]
    return {
        "id": number, "name": name.capitalize(), "landing_date": landed, "launch_date": launched, "status": status,
    }  # fmt: skip


def _manifest(rover: str, photos: list[dict[str, Any]]) -> dict[str, Any]:
    sols: dict[int, list[dict[str, Any]]] = {}
    for photo in photos:
        sols.setdefault(photo["sol"], []).append(photo)
    about = _rover(rover)
    del about["id"]
    last = max(sols, default=0)
    return about | {
        "max_sol": last, "max_date": _earth_date(rover, last), "total_photos": len(photos),
        "photos": [
            {"sol": sol, "earth_date": _earth_date(rover, sol), "total_photos": len(taken),
             "cameras": sorted({photo["camera"]["name"] for photo in taken})}
            for sol, taken in sorted(sols.items())
        ],
    }  # fmt: skip


def _chosen(photos: list[dict[str, Any]], parameters: dict[str, str]) -> list[dict[str, Any]]:
    """Choose by sol or date, without which there is nothing; a page has 25, no page means all."""
    by = "sol" if "sol" in parameters else "earth_date" if "earth_date" in parameters else None
    if by is None:
        return []
    camera = parameters.get("camera", "").upper()
    found = [
        photo
        for photo in photos
        if str(photo[by]) == parameters[by] and camera in ("", photo["camera"]["name"])
    ]  # fmt: skip
    if "page" not in parameters:
        return found
    size, number = int(parameters.get("per_page", PAGE_PHOTOS)), max(1, int(parameters["page"]))
    return found[(number - 1) * size : number * size]


def _curiosity_camera(instrument: str) -> str:
    name = instrument.partition("_")[0]
    return _CURIOSITY.get(name, _CURIOSITY.get(name[:4], name))


def _rover_camera(instrument: str) -> str:
    name = instrument.removesuffix("_LEFT").removesuffix("_RIGHT")
    return {"FRONT_HAZCAM": "FHAZ", "REAR_HAZCAM": "RHAZ", "MI": "MINITES"}.get(name, name)


def _earth_date(rover: str, sol: int) -> str:
    """Return the date as the legacy service computes it: from the day of landing, so it can be a day off."""
    landed = datetime.fromisoformat(_ROVERS[rover][1]).replace(tzinfo=UTC)
    return f"{landed + timedelta(seconds=sol * SOL_S):%Y-%m-%d}"
