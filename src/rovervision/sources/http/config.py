"""How archives on the web are asked: how often, how many at once, how long, and which of them at all."""

from pydantic import BaseModel, ConfigDict, Field

MIB = 1 << 20


class HttpConfig(BaseModel):
    """Manners and limits of every request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connections_per_host: int = Field(default=4, ge=1, le=16)
    """Requests in flight to one host at a time."""
    connect_timeout_s: float = Field(default=10.0, gt=0)
    read_timeout_s: float = Field(default=60.0, gt=0)
    """Longest silence of a server in the middle of an answer. The Perseverance feed takes up to 30 s for one sol."""
    min_bytes_per_s: float = Field(default=1000.0, ge=0)
    """Slowest pace of an answer, on average, once it took longer than `read_timeout_s`."""
    attempts: int = Field(default=5, ge=1, le=20)
    """Requests for one thing before it counts as failed."""
    backoff_s: float = Field(default=1.0, ge=0)
    """Pause before the second attempt, doubled before each further one, with jitter."""
    backoff_max_s: float = Field(default=30.0, ge=0)
    wait_max_s: float = Field(default=300.0, ge=0)
    """Longest wait that a server may ask for (Retry-After, X-RateLimit-Reset); beyond it the request fails."""
    allowed_hosts: tuple[str, ...] = ()
    """Hosts beside the archives' own that images may come from."""
    max_image_bytes: int = Field(default=256 * MIB, ge=1)
    max_image_px: int = Field(default=200_000_000, ge=1)
    """Largest width times height of an image."""
    max_page_bytes: int = Field(default=256 * MIB, ge=1)
    """Longest page of a listing."""


class ArchiveAddresses(BaseModel):
    """Where the archives answer. Point one at a mirror, or at a server of your own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    raw_image_items: str = "https://mars.nasa.gov/api/v1/raw_image_items"
    """Curiosity and InSight."""
    rss_api: str = "https://mars.nasa.gov/rss/api"
    """Perseverance and Ingenuity."""
    exploration_rovers: str = "https://planetarydata.jpl.nasa.gov/img/data/mer"
    """Spirit and Opportunity: the PDS volumes."""
    mars_photos: str = "https://rovers.nebulum.one/api/v1"
    """A service that speaks the schema of the retired api.nasa.gov/mars-photos."""
    mars_photos_key_variable: str | None = None
    """Environment variable with the service's key, where it wants one."""
