"""Archives by name: what a query's `source` stands for."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rovervision.errors import RovervisionError
from rovervision.sources.archive_files import ArchiveLimits
from rovervision.sources.frame import Query, Source
from rovervision.sources.local_folder import LocalFolderSource
from rovervision.sources.msl_labelled import MslLabelledSource
from rovervision.sources.synthetic.config import SyntheticConfig


class IngestionConfig(BaseModel):
    """What to ask of which archives, and how hard to try."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    queries: tuple[Query, ...] = Field(min_length=1)
    archive: str | None = None
    """A folder, a zip file or the address of one, for the sources that read one. Relative to the working directory."""
    download_folder: str = "data/01_raw/archives"
    """Where an archive that is named by its address is kept."""
    synthetic: SyntheticConfig = SyntheticConfig()
    fetch_attempts: int = Field(default=3, ge=1, le=20)
    max_failed_frac: float = Field(default=0.05, ge=0.0, le=1.0)
    """Largest part of the images that may be impossible to fetch before the run stops."""
    limits: ArchiveLimits = ArchiveLimits()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [query.name for query in self.queries]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"query names must differ; repeated: {', '.join(repeated)}")
        return self


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


def fingerprint_of(source: str, config: IngestionConfig) -> str:
    """Return the part of the configuration that changes the bytes of a source's frames."""
    return config.synthetic.model_dump_json() if source == "synthetic" else ""


def _open_synthetic(config: IngestionConfig) -> Source:
    from rovervision.sources.synthetic import SyntheticSource

    return SyntheticSource(config.synthetic)


def _open_local_folder(config: IngestionConfig) -> Source:
    return LocalFolderSource(_archive(config, "a folder of images"))


def _open_msl_labelled(config: IngestionConfig) -> Source:
    archive = _archive(config, "msl-images.zip, its unpacked folder or its address")
    return MslLabelledSource(archive, config.download_folder, config.limits)


def _archive(config: IngestionConfig, wanted: str) -> str:
    if not config.archive:
        raise RovervisionError(f"Set `ingestion.archive` to {wanted}: the source reads it.")
    return config.archive


_OPENERS: Final[dict[str, Callable[[IngestionConfig], Source]]] = {
    "synthetic": _open_synthetic,
    "local_folder": _open_local_folder,
    "msl_labelled": _open_msl_labelled,
}
