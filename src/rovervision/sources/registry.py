"""Archives by name: what a query's `source` stands for."""

from collections.abc import Callable
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rovervision.errors import RovervisionError
from rovervision.sources.archive_files import ArchiveLimits
from rovervision.sources.feeds.config import ListingConfig
from rovervision.sources.frame import Query, Source
from rovervision.sources.http.config import ArchiveAddresses, HttpConfig
from rovervision.sources.http.transport import Transport
from rovervision.sources.local_folder import LocalFolderSource
from rovervision.sources.msl_labelled import MslLabelledSource
from rovervision.sources.selection import without_limits
from rovervision.sources.synthetic.config import RENDERER_VERSION, SyntheticConfig

LIVE_SOURCES: Final = ("curiosity", "insight", "perseverance", "ingenuity", "exploration_rovers", "mars_photos")


class IngestionConfig(BaseModel):
    """What to ask of which archives, and how hard to try."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    queries: tuple[Query, ...] = Field(min_length=1)
    chosen: str | None = None
    """Names of the queries to ask, separated by spaces; all of them where null."""
    lift_limits: bool = False
    """Ask every query without `limit`, `limit_per_sol` and `sol_step`. Look at a dry run first: archives are large."""
    dry_run: bool = False
    """List and plan, and fetch nothing."""
    archive: str | None = None
    """A folder, a zip file or the address of one, for the sources that read one. Relative to the working directory."""
    download_folder: str = "data/01_raw/archives"
    """Where an archive that is named by its address is kept."""
    synthetic: SyntheticConfig = SyntheticConfig()
    fetch_attempts: int = Field(default=3, ge=1, le=20)
    max_failed_frac: float = Field(default=0.05, ge=0.0, le=1.0)
    """Largest part of the images that may be impossible to fetch before the run stops."""
    min_free_bytes: int = Field(default=2 << 30, ge=0)
    """What has to stay free on the disk, before and while images are fetched."""
    limits: ArchiveLimits = ArchiveLimits()
    http: HttpConfig = HttpConfig()
    addresses: ArchiveAddresses = ArchiveAddresses()
    listing: ListingConfig = ListingConfig()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [query.name for query in self.queries]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"query names must differ; repeated: {', '.join(repeated)}")
        return self

    @model_validator(mode="after")
    def _chosen_are_known(self) -> Self:
        names = [query.name for query in self.queries]
        for name in (self.chosen or "").split():
            if name not in names:
                near = get_close_matches(name, names, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]}? " if near else ""
                raise ValueError(f"there is no query {name}; {hint}the queries are {', '.join(names)}")
        return self

    def asked(self) -> tuple[Query, ...]:
        """Return the queries to ask, without limits where those are lifted."""
        names = (self.chosen or "").split()
        asked = [query for query in self.queries if not names or query.name in names]
        return tuple(without_limits(query) if self.lift_limits else query for query in asked)


def open_source(query: Query, config: IngestionConfig) -> Source:
    """Return the archive that a query asks. Nothing is read before it is searched.

    Raises RovervisionError for an unknown source, and for one that needs `ingestion.archive` when that is not set.
    """
    try:
        opener = _OPENERS[query.source]
    except KeyError:
        near = get_close_matches(query.source, _OPENERS, n=1, cutoff=0.4)
        hint = f"Did you mean `{near[0]}`? " if near else ""
        raise RovervisionError(
            f"The query `{query.name}` asks the unknown source `{query.source}`. {hint}Known: {', '.join(_OPENERS)}."
        ) from None
    return opener(config)


def is_live(source: str) -> bool:
    """Tell whether an archive is asked over the network, so that no question may be idle."""
    return source in LIVE_SOURCES


def fingerprint_of(source: str, config: IngestionConfig) -> str:
    """Return the part of the configuration that changes the bytes of a source's frames."""
    return f"{config.synthetic.model_dump_json()} {RENDERER_VERSION}" if source == "synthetic" else ""


def _open_synthetic(config: IngestionConfig) -> Source:
    from rovervision.sources.synthetic import SyntheticSource

    return SyntheticSource(config.synthetic)


def _open_local_folder(config: IngestionConfig) -> Source:
    return LocalFolderSource(_archive(config, "a folder of images"))


def _open_msl_labelled(config: IngestionConfig) -> Source:
    archive = _archive(config, "msl-images.zip, its unpacked folder or its address")
    return MslLabelledSource(archive, config.download_folder, config.limits, config.http)


def _open_curiosity(config: IngestionConfig) -> Source:
    return _open_items(config, "msl")


def _open_insight(config: IngestionConfig) -> Source:
    return _open_items(config, "insight")


def _open_items(config: IngestionConfig, mission: Literal["msl", "insight"]) -> Source:
    from rovervision.sources.feeds.curiosity import CuriositySource

    address = config.addresses.raw_image_items
    return CuriositySource(_transport(config), address, config.listing, config.http, mission)


def _open_perseverance(config: IngestionConfig) -> Source:
    return _open_rss(config, "mars2020")


def _open_ingenuity(config: IngestionConfig) -> Source:
    return _open_rss(config, "ingenuity")


def _open_rss(config: IngestionConfig, category: Literal["mars2020", "ingenuity"]) -> Source:
    from rovervision.sources.feeds.perseverance import PerseveranceSource

    return PerseveranceSource(_transport(config), config.addresses.rss_api, config.listing, config.http, category)


def _open_mars_photos(config: IngestionConfig) -> Source:
    from rovervision.sources.feeds.mars_photos import MarsPhotosSource

    addresses = config.addresses
    return MarsPhotosSource(
        _transport(config), addresses.mars_photos, config.listing, config.http, addresses.mars_photos_key_variable
    )


def _open_exploration_rovers(config: IngestionConfig) -> Source:
    from rovervision.sources.exploration_rovers import ExplorationRoversSource

    return ExplorationRoversSource(
        _transport(config),
        config.addresses.exploration_rovers,
        Path(config.listing.cache_folder) / "exploration_rovers",
        config.http,
    )


def _transport(config: IngestionConfig) -> Transport:
    return _transport_of(config.http, config.addresses)


@cache
def _transport_of(http: HttpConfig, addresses: ArchiveAddresses) -> Transport:
    """Return the one transport of a run, so that its manners hold for all sources together."""
    from rovervision.sources.http.addresses import allowed_hosts
    from rovervision.sources.http.client import HttpTransport

    return HttpTransport(http, allowed_hosts(http, addresses))


def _archive(config: IngestionConfig, wanted: str) -> str:
    if not config.archive:
        raise RovervisionError(f"Set `ingestion.archive` to {wanted}: the source reads it.")
    return config.archive


_OPENERS: Final[dict[str, Callable[[IngestionConfig], Source]]] = {
    "synthetic": _open_synthetic,
    "local_folder": _open_local_folder,
    "msl_labelled": _open_msl_labelled,
    "curiosity": _open_curiosity,
    "insight": _open_insight,
    "perseverance": _open_perseverance,
    "ingenuity": _open_ingenuity,
    "exploration_rovers": _open_exploration_rovers,
    "mars_photos": _open_mars_photos,
}
