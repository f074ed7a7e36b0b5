"""What an archive is asked, and what it answers: the words that every source speaks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field, model_validator

SampleType = Literal["full", "subframe", "thumbnail", "downsampled", "mixed", "unknown"]
ColorType = Literal["color", "mosaic", "gray", "narrow_band", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One image as an archive describes it, before any byte of it is fetched."""

    frame_id: str
    """Unique in a listing and safe as a file stem: letters, digits, dot, dash and underscore only."""
    file_name: str
    """The archive's own file name, suffix included."""
    source: str
    query: str = ""
    rover: str = "unknown"
    camera: str = "unknown"
    sol: int | None = None
    """Martian day since landing."""
    taken_utc: str | None = None
    """ISO 8601 with a Z."""
    received_utc: str | None = None
    """When the image reached Earth or the archive: ISO 8601 with a Z."""
    sclk_s: float | None = None
    """Spacecraft clock in seconds; its zero differs by mission, so compare within one rover only."""
    site: str | None = None
    """The rover's site counter, where the name or the record tells it."""
    width_px: int | None = None
    height_px: int | None = None
    sample_type: str = "unknown"
    """One of SampleType."""
    product_type: str = "unknown"
    """The code that the product name carries, such as EDR, ECM, EFF, E, I."""
    color_type: str = "unknown"
    """One of ColorType, as name and record tell; a mosaic is a Bayer pattern that looks gray."""
    filter: str = ""
    """The filter's character, such as 4 of Pancam L4; empty where there is none."""
    version: str = ""
    url: str = ""
    """Where the bytes are: an address, a path, or a member of a zip."""
    credit: str = "NASA/JPL-Caltech"
    label: str | None = None
    """The class that the archive's makers gave the image."""
    official_split: str | None = None
    """The part of the published split that the image belongs to."""
    has_mask: bool = False
    """True where the source can also give a region mask (see `sources.regions`)."""
    record: str = "{}"
    """The whole raw record, as JSON."""


class Query(BaseModel):
    """What to ask an archive for. Empty tuples and None ask for everything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, pattern=r"^[a-z0-9_]+$")
    source: str
    rover: str | None = None
    """For an archive of several rovers."""
    cameras: tuple[str, ...] = ()
    sol_min: int | None = Field(default=None, ge=0)
    sol_max: int | None = Field(default=None, ge=0)
    sol_step: int = Field(default=1, ge=1)
    """Only sols that are multiples of it: a wide look at little cost."""
    newest_sols: int | None = Field(default=None, ge=1)
    """Only the newest sols of the archive, and what has come in late for older ones since the last listing."""
    since_last_run: bool = False
    """Keep the first listing's start and go on to the newest sol: every run adds what is new."""
    product_types: tuple[str, ...] = ()
    sample_types: tuple[SampleType, ...] = ()
    color_types: tuple[ColorType, ...] = ()
    filters: tuple[str, ...] = ()
    file_kind: Literal["browse", "label"] = "browse"
    """The picture for people (JPEG, PNG), or the PDS image with its label (`.img`) where an archive has both."""
    name_pattern: str | None = None
    """A shell pattern for the file name, such as `NLF_*`."""
    limit: int | None = Field(default=None, ge=1)
    """At most so many frames."""
    limit_per_sol: int | None = Field(default=None, ge=1)
    """At most so many frames of one rover, sol and camera, so that a limit does not fill with a single day."""

    @model_validator(mode="after")
    def _sols_in_order(self) -> "Query":
        if self.sol_min is not None and self.sol_max is not None and self.sol_min > self.sol_max:
            raise ValueError(f"query {self.name}: sol_min {self.sol_min} lies after sol_max {self.sol_max}")
        if self.newest_sols is not None and (self.sol_min is not None or self.sol_max is not None):
            raise ValueError(f"query {self.name}: newest_sols and sol_min or sol_max exclude each other")
        return self


class Source(Protocol):
    """An archive. Listing and fetching are the only two things that it does."""

    def search(self, query: Query) -> Iterator[Frame]:
        """Yield the frames that answer the query, in the archive's order."""
        ...

    def fetch(self, frame: Frame) -> bytes:
        """Return the bytes of the image file, exactly as the archive holds them."""
        ...


@runtime_checkable
class MaskedSource(Source, Protocol):
    """An archive that also knows which pixel shows what."""

    def fetch_mask(self, frame: Frame) -> bytes:
        """Return a single-channel uint8 PNG of region numbers, as large as the image."""
        ...


@runtime_checkable
class MeasuringSource(Source, Protocol):
    """An archive that can tell how long a file is without sending it."""

    def size_bytes(self, frame: Frame) -> int | None:
        """Return the length of the image file; None where the archive does not say."""
        ...


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that was asked for: at rest and readable, or not to be had and why."""

    key: str
    """The key under which it was asked for: frame id, or path relative to a folder."""
    path: str
    n_bytes: int
    sha256: str
    failure: str | None
    """None when the file is whole; else a sentence."""
    read: Callable[[], bytes]
    """Returns the bytes; raises RovervisionError where `failure` is set."""
    reason: str | None = None
    """The failure in a word that can be counted, such as not_found."""
