"""The denoiser for others: with a card that says how to load it and what it is."""

from collections.abc import Iterator

from rovervision.learning.denoiser import Conditions
from rovervision.learning.exported_denoiser import DenoiserExport
from rovervision.learning.generation import model_name
from rovervision.learning.weights import Weights

_CARD = """---
library_name: diffusers
tags: [mars, image-generation]
---

# A Mars that no rover has seen

Images of {tile_px} × {tile_px} px that look like tiles of rover images. They are made up: nothing in them was
photographed.

```python
from diffusers import DiffusionPipeline

pipeline = DiffusionPipeline.from_pretrained("FOLDER")
images = pipeline(batch_size=4, class_labels=[0] * 4, num_inference_steps={steps}).images
```

Model `{name}`, schedule {schedule}, {parameters:,} parameters. It learnt from {tiles} tiles of {frames} frames, cameras
{cameras}; {held_out} tiles of other sols were held out, and epoch {epoch} was best on them.

## Class labels

A label is a camera and a class; 0 leaves both open. Sampled without guidance. The last column counts training tiles.

| label | camera | class | tiles |
|---|---|---|---|
{rows}

## Limits

What is generated is no evidence of what Mars looks like. Say that images are generated wherever you show them. Other
numbers of steps are possible; the result was judged with the sampler that the project uses, see its documentation.
"""


def export_denoiser(denoiser: Weights) -> DenoiserExport:
    """Return the denoiser with its model card."""
    header, about = denoiser.header, denoiser.header["trained_on"]
    schedule = header["denoiser"]["schedule"]
    card = _CARD.format(
        tile_px=header["denoiser"]["tile_px"], name=model_name(denoiser), schedule=schedule,
        steps=18 if schedule == "edm" else 100, parameters=header["parameters"], tiles=about["tiles"],
        frames=about["frames"], held_out=about["tiles_held_out"], epoch=header["best_epoch"],
        cameras=", ".join(about["cameras"]), rows="\n".join(label_rows(denoiser)),
    )  # fmt: skip
    return DenoiserExport(denoiser, card)


def label_rows(denoiser: Weights) -> Iterator[str]:
    """Yield a row of the table of labels for each pair of camera and class that the denoiser has seen."""
    conditions = Conditions.from_json(denoiser.header["conditions"])
    cameras, classes = ("any", *conditions.cameras), ("any", *conditions.classes)
    counts = {(camera, class_): count for camera, class_, count in denoiser.header["pairs"]}
    total = sum(counts.values())
    for camera, class_ in sorted({(0, 0), *counts}):
        label = camera * len(classes) + class_
        seen = counts.get((camera, class_), 0) if (camera, class_) != (0, 0) else total
        yield f"| {label} | {cameras[camera]} | {classes[class_]} | {seen} |"
