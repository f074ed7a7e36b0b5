"""What a synthetic archive holds: observations, their frames, and which of them went wrong."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

import numpy as np

from rovervision.sources.synthetic.cameras import CAMERAS, Camera, frame_size
from rovervision.sources.synthetic.clocks import clock_s, moment
from rovervision.sources.synthetic.config import SyntheticConfig
from rovervision.sources.synthetic.defects import DEFECTS, Defect, allowed
from rovervision.sources.synthetic.hardware import Assembly
from rovervision.sources.synthetic.names import NameParts, file_stem, product_type
from rovervision.sources.synthetic.scene import SceneKey
from rovervision.sources.synthetic.seeds import generator

Habit = Literal["single", "stereo", "burst"]

# (camera mode, habit, share of the observations).
PROGRAM: Final[tuple[tuple[str, Habit, float], ...]] = (
    ("navcam", "stereo", 0.17),
    ("navcam", "single", 0.10),
    ("navcam", "burst", 0.03),
    ("zcam", "stereo", 0.07),
    ("zcam", "single", 0.09),
    ("zcam_raw", "single", 0.05),
    ("mast", "single", 0.22),
    ("mast", "burst", 0.04),
    ("mast_raw", "single", 0.04),
    ("nav", "stereo", 0.07),
    ("nav", "single", 0.05),
    ("haz", "stereo", 0.05),
    ("haz", "single", 0.02),
)

# Assembly → (share, range of the horizon's row over the image's height). Looking at the deck means looking down.
POINTINGS: Final[dict[str, dict[Assembly, tuple[float, tuple[float, float]]]]] = {
    "mast": {
        "none": (0.52, (-0.55, 0.50)),
        "deck": (0.11, (-0.7, 0.05)),
        "wheel": (0.11, (-0.55, -0.05)),
        "arm": (0.10, (-0.5, 0.3)),
        "post": (0.06, (0.25, 0.5)),
        "target": (0.06, (-0.7, -0.2)),
        "shadow": (0.04, (-0.6, -0.2)),
    },
    "body": {
        "none": (0.5, (0.12, 0.34)),
        "wheel": (0.25, (0.05, 0.25)),
        "arm": (0.1, (0.1, 0.3)),
        "shadow": (0.15, (0.05, 0.2)),
    },
}

FIRST_SOL: Final = {"perseverance": 100, "curiosity": 750, "opportunity": 900}
SITE_SOLS: Final = 4
"""A rover stays at a site for so many working sols."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One frame of the plan: everything that it and its bytes follow from."""

    seed: int
    stem: str
    camera_key: str
    scene: SceneKey
    jitter_m: float
    """How far the camera moved since the first frame of its burst."""
    sclk_s: float
    hour: float
    site: int
    product: str
    thumbnail: bool = False
    subframe: bool = False
    defect: Defect | None = None
    stereo_partner: str | None = None
    burst: str | None = None

    @property
    def camera(self) -> Camera:
        """The camera in its mode."""
        return CAMERAS[self.camera_key]


@dataclass(frozen=True, slots=True)
class _Observation:
    mode: str
    habit: Habit
    rover: str
    sol: int
    site: int
    hour: float
    scene: SceneKey
    sequence: int
    subframe: bool


def _pointing(rng: np.random.Generator, mode: str) -> tuple[Assembly, float]:
    table = POINTINGS["body" if mode == "haz" else "mast"]
    names: list[Assembly] = list(table)
    shares = np.array([table[n][0] for n in names])
    assembly = names[int(rng.choice(len(names), p=shares / shares.sum()))]
    low, high = table[assembly][1]
    return assembly, float(np.round(rng.uniform(low, high), 3))


def _sols(config: SyntheticConfig, rover: str) -> np.ndarray:
    """Return the rover's working sols: rising, with gaps."""
    steps = generator("sols", config.seed, rover).choice([1, 1, 2, 3], config.sols_count)
    return FIRST_SOL[rover] + np.cumsum(steps)


def _observation(config: SyntheticConfig, number: int, turn: dict[str, int]) -> _Observation:
    """Draw the archive's next observation; `turn` counts those of each rover, so that its sols fill evenly."""
    rng = generator("observation", config.seed, number)
    shares = np.array([share for _, _, share in PROGRAM])
    mode, habit, _ = PROGRAM[int(rng.choice(len(PROGRAM), p=shares / shares.sum()))]
    camera = CAMERAS[f"{mode}_L"]
    day = turn.get(camera.rover, 0) % config.sols_count
    turn[camera.rover] = turn.get(camera.rover, 0) + 1
    sol, site = int(_sols(config, camera.rover)[day]), 1 + day // SITE_SOLS
    assembly, pitch = _pointing(rng, mode)
    # The rover's own shadow lies ahead only when the sun stands low behind the camera.
    hour = float(np.round(rng.uniform(15.8, 17.0) if assembly == "shadow" else rng.uniform(8.6, 17.2), 4))
    sun_deg = (90.0 - 15.0 * (hour - 6.0)) % 360
    view_deg = int(round((sun_deg + 180.0) / 15.0) * 15 % 360) if assembly == "shadow" else int(rng.integers(24)) * 15
    subframe = mode == "nav" and bool(rng.random() < 0.25)
    width, height = frame_size(camera, config.image_px, aspect=0.5 if subframe else None)
    scene = SceneKey(
        seed=config.seed,
        camera=mode,
        site=site,
        sol=sol,
        hour=hour,
        view_deg=view_deg,
        pitch=pitch,
        assembly=assembly,
        width_px=width,
        height_px=height,
    )
    return _Observation(mode, habit, camera.rover, sol, site, hour, scene, int(rng.integers(100, 9999)), subframe)


def _shots(config: SyntheticConfig, number: int, observation: _Observation) -> list[Shot]:
    """Return the frames of one observation, without defects."""
    rng = generator("shots", config.seed, number)
    start_s = clock_s(moment(observation.rover, observation.sol, observation.hour))
    eyes = ("L", "R") if observation.habit == "stereo" else (str(rng.choice(["L", "R"])),)
    count = 3 if observation.habit == "burst" else 1
    gaps = np.concatenate([[0.0], np.cumsum(np.round(rng.uniform(2.0, 6.0, count), 3))])[:count]
    shots = []
    for gap, shift in zip(gaps, rng.normal(0, 0.0015, count), strict=True):
        for eye in eyes:
            camera = CAMERAS[f"{observation.mode}_{eye}"]
            product = product_type(camera, variant=number, thumbnail=False)
            sclk_s = round(start_s + float(gap), 3)
            shot = Shot(
                seed=config.seed,
                stem="",
                camera_key=camera.key,
                scene=observation.scene,
                jitter_m=float(shift) if gap else 0.0,
                sclk_s=sclk_s,
                hour=observation.hour,
                site=observation.site,
                product=product,
                subframe=observation.subframe,
            )
            shots.append(replace(shot, stem=_stem(shot, observation.sequence)))
    if observation.habit == "stereo":
        left, right = shots
        shots = [replace(left, stereo_partner=right.stem), replace(right, stereo_partner=left.stem)]
    if observation.habit == "burst":
        shots = [replace(shot, burst=f"burst_{number:05d}") for shot in shots]
    return shots


def _stem(shot: Shot, sequence: int) -> str:
    parts = NameParts(
        sol=shot.scene.sol,
        sclk_s=shot.sclk_s,
        site=shot.site,
        drive=(shot.scene.sol * 7) % 1000,
        sequence=sequence,
        product_type=shot.product,
        thumbnail=shot.thumbnail,
        subframe=shot.subframe,
    )
    return file_stem(shot.camera, parts)


def _thumbnail(shot: Shot) -> Shot:
    """Return the shot as a thumbnail product, named as such."""
    product = product_type(shot.camera, variant=0 if shot.product == "EBY" else 1, thumbnail=True)
    old = shot.stem
    if shot.camera_key.startswith("mast"):
        stem = old.replace(f"{shot.product}01_", f"{product}01_")
    elif shot.camera_key.startswith("haz"):
        stem = old.replace(shot.product, product, 1)
    elif shot.camera_key.startswith("nav_"):
        stem = old.replace("EDR_F", "EDR_T").replace("EDR_S", "EDR_T")
    else:
        stem = old.replace(f"{shot.product}_N", f"{product}_T")
    width, height = shot.scene.width_px, shot.scene.height_px
    small = replace(shot.scene, width_px=max(16, width // 8 * 2), height_px=max(8, height // 8 * 2))
    return replace(shot, stem=stem, product=product, thumbnail=True, subframe=False, scene=small)


def _narrow_band(shot: Shot) -> Shot:
    """Return the Mastcam-Z shot through one of its six narrow filters, named as such."""
    place = 1 + int(generator("filter", shot.seed, shot.stem).integers(6))
    return replace(shot, stem=f"{shot.stem[:2]}{place}{shot.stem[3:]}")


def _spoil(shots: list[Shot], config: SyntheticConfig) -> list[Shot]:
    """Give the due share of the shots a defect each, the types in turn, so that all occur about equally often."""
    rng = generator("defects", config.seed)
    due = round(config.defect_frac * len(shots))
    free = [int(i) for i in rng.permutation(len(shots))]
    spoiled = list(shots)
    renamed: dict[str, str] = {}
    for turn in range(due):
        defect = DEFECTS[turn % len(DEFECTS)]
        fit = next((i for i in free if allowed(defect, shots[i].camera)), None)
        if fit is None:
            continue
        free.remove(fit)
        shot = replace(shots[fit], defect=defect)
        renaming = {"thumbnail": _thumbnail, "narrow_band": _narrow_band}.get(defect)
        spoiled[fit] = renaming(shot) if renaming else shot
        renamed[shots[fit].stem] = spoiled[fit].stem
    return [
        replace(shot, stereo_partner=renamed.get(shot.stereo_partner, shot.stereo_partner))
        if shot.stereo_partner
        else shot
        for shot in spoiled
    ]


@lru_cache(maxsize=8)
def plan_archive(config: SyntheticConfig) -> tuple[Shot, ...]:
    """Return every frame of the archive, in the order rover, clock, camera. A pure function of the config."""
    shots: list[Shot] = []
    turn: dict[str, int] = {}
    taken: set[str] = set()
    number = 0
    while len(shots) < config.frames_count:
        new = _shots(config, number, _observation(config, number, turn))[: config.frames_count - len(shots)]
        number += 1
        if taken & {shot.stem for shot in new}:
            continue
        if len(new) == 1:
            new = [replace(new[0], stereo_partner=None)]
        taken |= {shot.stem for shot in new}
        shots += new
    return tuple(sorted(_spoil(shots, config), key=lambda s: (s.camera.rover, s.sclk_s, s.camera_key, s.stem)))
