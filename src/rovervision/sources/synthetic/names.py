"""File names as the archives write them (grammars: SIS documents of each mission; see the tests)."""

from dataclasses import dataclass

from rovervision.sources.synthetic.cameras import Camera


@dataclass(frozen=True, slots=True, kw_only=True)
class NameParts:
    """What a name tells."""

    sol: int
    sclk_s: float
    site: int
    drive: int
    sequence: int
    """Number of the command sequence, up to 5 digits."""
    product_type: str
    thumbnail: bool = False
    subframe: bool = False
    tile: int = 1


def _perseverance(camera: Camera, parts: NameParts) -> str:
    whole, thousandth = divmod(round(parts.sclk_s * 1000), 1000)
    zoom = camera.key.startswith("zcam")
    head = f"Z{camera.eye}0" if zoom else f"N{camera.eye}F"
    sequence = f"{'ZCAM' if zoom else 'NCAM'}{parts.sequence:05d}"
    lens = "_110" if zoom else f"_{parts.tile:02d}_"
    compression = "LU" if camera.sensor == "mosaic" else "95"
    sample = "T" if parts.thumbnail else "N"
    return (
        f"{head}_{parts.sol:04d}_{whole:010d}_{thousandth:03d}{parts.product_type}_{sample}"
        f"{parts.site:03d}{parts.drive:04d}{sequence}{lens}0{compression}J01"
    )


def _curiosity_mastcam(camera: Camera, parts: NameParts) -> str:
    # Products of one command are told apart by the camera data product id, which only ever grows.
    product_id = int(parts.sclk_s) % 100000
    return (
        f"{parts.sol:04d}M{camera.eye}{parts.sequence:06d}{parts.drive % 1000:03d}01{product_id:05d}"
        f"{parts.product_type}0{0 if camera.sensor == 'mosaic' else 1}_DXXX"
    )


def _curiosity_navcam(camera: Camera, parts: NameParts) -> str:
    sample = "T" if parts.thumbnail else "S" if parts.subframe else "F"
    return (
        f"N{camera.eye}B_{int(parts.sclk_s):09d}{parts.product_type}_{sample}"
        f"{parts.site:03d}{parts.drive:04d}NCAM{parts.sequence:05d}M_"
    )


def _opportunity(camera: Camera, parts: NameParts) -> str:
    return (
        f"1F{int(parts.sclk_s):09d}{parts.product_type}{parts.site % 100:02d}{parts.drive % 100:02d}"
        f"P{parts.sequence % 10000:04d}{camera.eye}0M1"
    )


def product_type(camera: Camera, *, variant: int, thumbnail: bool) -> str:
    """Return the product code. `variant` chooses between the codes that a camera uses for the same thing."""
    if camera.key.startswith("mast"):
        return "C" if camera.sensor == "mosaic" else "I" if thumbnail else "E"
    if camera.key.startswith("haz"):
        return "ETH" if thumbnail else "EFF"
    if camera.key.startswith("nav_"):
        return "EDR"
    return "EBY" if camera.key in ("zcam_L", "zcam_R") and variant % 2 == 0 else "ECM"


def file_stem(camera: Camera, parts: NameParts) -> str:
    """Return the file name without its suffix: unique within an archive, safe as a frame id."""
    if camera.rover == "perseverance":
        return _perseverance(camera, parts)
    if camera.rover == "opportunity":
        return _opportunity(camera, parts)
    return (_curiosity_mastcam if camera.key.startswith("mast") else _curiosity_navcam)(camera, parts)
