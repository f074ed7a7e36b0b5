"""A planned shot as the archive lists it, truth included."""

import json

from rovervision.sources.frame import Frame
from rovervision.sources.product_names import parse_product_name
from rovervision.sources.synthetic.clocks import utc_of_clock
from rovervision.sources.synthetic.defects import UNREADABLE
from rovervision.sources.synthetic.lighting import light
from rovervision.sources.synthetic.photograph import loss_of
from rovervision.sources.synthetic.plan import Shot

_VERSIONS = {"perseverance": "01", "opportunity": "1", "curiosity": ""}


def url_of(shot: Shot) -> str:
    """Return the address that stands for the bytes."""
    return f"synthetic://{shot.seed}/{shot.stem}"


def frame_of(shot: Shot, query_name: str = "") -> Frame:
    """Return the listing's entry for a shot."""
    camera, scene = shot.camera, shot.scene
    name = parse_product_name(shot.stem)
    return Frame(
        frame_id=shot.stem,
        file_name=shot.stem + camera.suffix,
        source="synthetic",
        query=query_name,
        rover=camera.rover,
        camera=camera.instrument,
        sol=scene.sol,
        taken_utc=utc_of_clock(shot.sclk_s),
        sclk_s=shot.sclk_s,
        site=str(shot.site),
        width_px=scene.width_px,
        height_px=scene.height_px,
        sample_type="thumbnail" if shot.thumbnail else "subframe" if shot.subframe else "full",
        product_type=shot.product,
        color_type=name.color_type if name else "unknown",
        filter=name.filter if name else "",
        version=_VERSIONS[camera.rover],
        url=url_of(shot),
        credit="synthetic, no credit needed",
        has_mask=shot.defect not in UNREADABLE,
        record=json.dumps(truth_record(shot), sort_keys=True),
    )


def truth_record(shot: Shot) -> dict[str, object]:
    """Return the truth about a frame, ready for JSON. `mosaic` is a defect only without `mosaic_is_usual`."""
    scene, loss = shot.scene, loss_of(shot)
    air = light(shot.seed, shot.camera.rover, scene.sol, scene.hour, float(scene.view_deg))
    return {
        "defects": [shot.defect] if shot.defect else [],
        "scene": f"{shot.camera.rover}_{scene.sol:04d}_{scene.view_deg:03d}",
        "camera_mode": shot.camera_key,
        "assembly": scene.assembly,
        "stereo_partner": shot.stereo_partner,
        "burst": shot.burst,
        "lighting": {
            "sun_elevation_deg": round(air.elevation_deg, 3),
            "sun_azimuth_deg": round(air.azimuth_deg, 3),
            "dust_depth": round(air.dust, 4),
            "local_hour": scene.hour,
        },
        "mosaic": shot.camera.sensor == "mosaic" or shot.defect == "mosaic",
        "mosaic_is_usual": shot.camera.sensor == "mosaic",
        "gray_is_usual": shot.camera.sensor == "gray",
        "border_px": list(loss.border_px),
        "missing_rows": [list(band) for band in loss.bands],
        "missing_blocks": [list(block) for block in loss.blocks],
        "field_stop_px": list(loss.circle_px) if loss.circle_px else None,
    }
