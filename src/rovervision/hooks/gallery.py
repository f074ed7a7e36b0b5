"""After a run: one page that shows what it made."""

import logging
import platform
import re
import sys
import time
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol

from rovervision.gallery.facts import Hash, RunFacts, as_shown, differences
from rovervision.hooks.catalog_entries import CatalogEntries, shown
from rovervision.hooks.provenance import provenance, run_name
from rovervision.hooks.report import duration
from rovervision.hooks.tracking import TAGS_OF_USE, TrackingHooks

logger = logging.getLogger(__name__)

to_file = logging.getLogger("rovervision.traceback")
"""Goes to the log file only."""

TAGS_WITHOUT_PAGE = TAGS_OF_USE - {"film"}
"""Tags of nodes that leave nothing to show beside what an earlier run has shown."""

ANCHOR = "colorization_score_table"
"""The dataset in whose folder the pages lie."""
HASHED_MAX_BYTES = 4 * 2**30
"""A larger set of tiles is not read again for its hash alone."""

_SOFTWARE = ("kedro", "mlflow", "torch", "numpy", "opencv-python-headless", "scikit-learn")
_WEIGHTS = ("encoder", "clusters", "colorizer", "denoiser")


class GalleryHooks:
    """Writes `gallery.html` and the run's own page in `gallery/`, below the folder of reports.

    Whatever goes wrong here is a warning: the run has done its work.
    """

    def __init__(self, tracking: TrackingHooks) -> None:
        self._tracking = tracking
        self._started_s = time.monotonic()
        self._entries = CatalogEntries()
        self._names: tuple[str, ...] = ()
        self._context: KedroContext | None = None
        self._saved: set[str] = set()

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember parameters and environment."""
        self._context = context

    @hook_impl
    def after_catalog_created(self, conf_catalog: Mapping[str, Any]) -> None:
        """Remember where datasets lie, and start anew."""
        self._entries, self._names, self._saved = CatalogEntries(conf_catalog), tuple(conf_catalog), set()

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """Remember what the run has made."""
        self._saved.add(dataset_name)

    @hook_impl(wrapper=True, tryfirst=True)
    def after_pipeline_run(self, run_params: dict[str, Any], catalog: CatalogProtocol) -> Generator[None, Any, Any]:
        """Write the page before the others report, and say behind them where it is."""
        page = None
        try:
            page = self._write(run_params, catalog)
        except Exception as fault:
            logger.warning("The page of the run could not be written: %s: %s", type(fault).__name__, fault)
            to_file.error("Why the page of the run could not be written.", exc_info=fault)
        outcome = yield
        if page:
            click.echo(f"{click.style('The run as a page', bold=True)}\n  {shown(page)}  open it in a browser\n")
        return outcome

    def _write(self, run_params: dict[str, Any], catalog: CatalogProtocol) -> Path | None:
        """Return where the page is; None where there is nothing to show."""
        tags, anchor = set(run_params.get("tags") or ()), self._entries.path(ANCHOR)
        if anchor is None or not self._saved or (tags and tags <= TAGS_WITHOUT_PAGE):
            return None
        from rovervision.gallery.page import write_page
        from rovervision.gallery.rooms import open_rooms
        from rovervision.gallery.shelf import FOLDER, page_name, store_page

        began_s = time.monotonic()
        env = run_params.get("env")
        rooms = open_rooms(self._stock(catalog), f" --env {env}" if env and env != "local" else "")
        if not rooms.rooms:
            return None
        facts, links = self._facts(run_params, catalog), self._links(anchor.parent)
        own, latest = (write_page(rooms, facts, links, up) for up in ("../", ""))
        place = store_page(anchor.parent, page_name(facts.finished_utc, facts.name), own, latest)
        told = f"{len(latest) / 1e6:.1f} MB in {time.monotonic() - began_s:.1f} s"
        to_file.info("The page of the run: %s; its own copy is in %s", told, anchor.parent / FOLDER)
        return place

    def _stock(self, catalog: CatalogProtocol) -> Any:
        from rovervision.gallery.rooms import Stock

        own = getattr(self._parameters().get("colorization"), "apply", None)
        return Stock(
            load=catalog.load,
            modified_s=self._modified_s,
            path=self._entries.path,
            written=frozenset(self._saved),
            knows_torch="torch" in sys.modules,
            work_tiles=float(getattr(own, "work_tiles", 1.5)),
        )

    def _modified_s(self, name: str) -> float | None:
        path = self._entries.path(name)
        return path.stat().st_mtime if path and path.exists() else None

    def _parameters(self) -> Mapping[str, Any]:
        return self._context.params if self._context else {}

    def _facts(self, run_params: dict[str, Any], catalog: CatalogProtocol) -> RunFacts:
        """Return what made the run."""
        assert self._context is not None
        names = sorted(run_params.get("pipeline_names") or ["__default__"])
        told = provenance(self._context.project_path, self._context.env)
        here, uri = dict(self._context.config_loader["parameters"]), self._tracking.tracking_uri
        return RunFacts(
            name=run_name(names, run_params),
            command=told["command"],
            env=told["env"] if told["env"] != "local" else "base, with conf/local",
            finished_utc=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
            elapsed=duration(time.monotonic() - self._started_s),
            version=told["version"],
            commit=told.get("git_commit", ""),
            is_changed=told.get("git_changed") == "true",
            software={"Python": platform.python_version(), **versions(), "on": platform.platform(terse=True)},
            differences=differences(base_parameters(self._context), here),
            parameters=as_shown(here),
            hashes=self._hashes(catalog),
            tracking=where_tracked(uri),
        )

    def _hashes(self, catalog: CatalogProtocol) -> list[Hash]:
        """Return the hashes of images, tiles and weights that stand."""
        from rovervision.gallery.shelf import file_hash, frames_hash

        hashes = [frames_hash(catalog.load("frames_fetched"))] if self._modified_s("frames_fetched") else []
        tiles = self._entries.path("tiles")
        if tiles and tiles.is_dir() and (fingerprint := getattr(catalog.get("tiles"), "fingerprint", None)):
            what = "every pixel and index row; the tag data.tiles in MLflow"
            is_small = sum(path.stat().st_size for path in tiles.iterdir()) <= HASHED_MAX_BYTES
            hashes.append(Hash("tiles", what, fingerprint() if is_small else "too large to be read for a page"))
        for name in _WEIGHTS:
            path = self._entries.path(name)
            if path and path.is_file():
                hashes.append(file_hash(name, path))
        return hashes

    def _links(self, reports: Path) -> dict[str, Any]:
        """Return the places beside the page, by heading."""
        from rovervision.gallery.shelf import FIGURE_SUFFIXES, earlier_pages, link_to

        places = {name: path for name in self._names if (path := self._entries.path(name)) and path.is_file()}
        places = {name: path for name, path in places.items() if self._entries.layer(name) == "reporting"}
        links = {name: link_to(path, reports, name.replace("_", " ")) for name, path in sorted(places.items())}
        figures = [name for name, path in places.items() if path.suffix in FIGURE_SUFFIXES]
        return {
            "figures": [links[name] for name in sorted(figures)],
            "tables": [link for name, link in links.items() if name not in figures],
            "earlier": earlier_pages(reports),
            "map": [links["cluster_map_page"]] if "cluster_map_page" in links else [],
            "film": [links["film"]] if "film" in links else [],
        }


def base_parameters(context: KedroContext) -> dict[str, Any]:
    """Return the parameters of `conf/base` alone."""
    from kedro.framework.project import settings

    loader = context.config_loader
    arguments = settings.CONFIG_LOADER_ARGS
    base = type(loader)(conf_source=loader.conf_source, env=arguments["base_env"], **arguments)
    return dict(base["parameters"])


def versions() -> dict[str, str]:
    """Return the versions of what computes; what is not installed is left out."""
    found = {}
    for name in _SOFTWARE:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def where_tracked(uri: str | None) -> str:
    """Return where MLflow shows the run: an address, or the command to be typed in the project; nothing if nowhere."""
    uri = re.sub(r"(?<=://)[^/@]*@", "", uri or "")  # a page is passed on, and a password must not be
    if not uri or uri.startswith("http"):
        return uri
    store = f"sqlite:///{Path(uri).name}" if uri.startswith("sqlite:") else uri
    return f"mlflow ui --backend-store-uri {store}"
