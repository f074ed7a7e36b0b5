"""What a network sees of an image: the picture inside borders and vignettes, at the scale that it learnt at."""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from rovervision.imaging.framing import Content, channel_maximum, content_box
from rovervision.imaging.vignettes import Circle, round_vignette
from rovervision.learning.rendering import lightness_of

Float = NDArray[np.float32]

WORK_PIXELS_MAX = 2**21
"""A working copy has at most so many pixels, by which strips are reduced further. So every image is seen as a whole, in
bounded memory, and there are no tiles to show seams."""

_FRAMED_PX = 16
"""Images of a shorter side are taken to be all picture."""

_SOFT_EDGE = 0.02
"""The picture fades out over this share of a vignette's radius."""


class WorkingCopy(NamedTuple):
    """A reduced copy of an image's picture, and where in the image the picture is."""

    lightness: Float
    """(h, w), CIE L in 0..100."""
    content: Content
    """The rectangle of the image that the copy shows."""
    circle: Circle | None
    """The round picture within, in pixels of the whole image."""


def working_copy(image: NDArray[Any], work_px: int, stride_px: int) -> WorkingCopy:
    """Reduce an image until its picture's short side has `work_px` pixels; a smaller picture keeps its size.

    Black borders are cut off: a network would take them for night. Outside of a round picture, the copy shows the
    mirror image of what is inside. Sides are whole multiples of `stride_px`.
    """
    circle, content = _find_picture(image)
    picture = image[content.top_px : content.bottom_px, content.left_px : content.right_px]
    size = working_size(content.width_px, content.height_px, work_px, stride_px)
    lightness = lightness_of(_resized(picture, size))
    if circle is not None:
        lightness = _mirrored_into_circle(lightness, _placed_in(circle, content, size))
    return WorkingCopy(lightness, content, circle)


def _find_picture(image: NDArray[Any]) -> tuple[Circle | None, Content]:
    height, width = image.shape[:2]
    if min(height, width) < _FRAMED_PX:
        return None, Content(0, 0, width, height)
    brightest = channel_maximum(image)
    brightest = brightest if brightest.dtype == np.uint8 else (brightest >> 8).astype(np.uint8)
    circle, content = round_vignette(brightest), content_box(brightest)
    return circle, content if circle is None else _bounding_box(circle, content)


def working_size(width_px: int, height_px: int, work_px: int, stride_px: int) -> tuple[int, int]:
    """Return width and height of the working copy of a picture."""
    scale = min(1.0, work_px / min(width_px, height_px), (WORK_PIXELS_MAX / (width_px * height_px)) ** 0.5)
    width, height = (max(1, round(side * scale / stride_px)) * stride_px for side in (width_px, height_px))
    return width, height


def picture_share(copy: WorkingCopy, rows: slice, width_px: int) -> Float:
    """Return how far each pixel of some rows of the image belongs to the picture, 0 to 1. (rows, W) float32."""
    content, share = copy.content, np.zeros((rows.stop - rows.start, width_px), np.float32)
    inside = slice(max(content.top_px, rows.start) - rows.start, max(0, min(content.bottom_px, rows.stop) - rows.start))
    share[inside, content.left_px : content.right_px] = 1
    if copy.circle is not None:
        y, x = np.ogrid[rows.start : rows.stop, :width_px]
        from_center = np.hypot(x - copy.circle.x_px, y - copy.circle.y_px) / copy.circle.radius_px
        share *= np.clip((1 + _SOFT_EDGE - from_center) / _SOFT_EDGE, 0, 1).astype(np.float32)
    return share


def is_all_picture(copy: WorkingCopy, rows: slice, width_px: int) -> bool:
    """Tell whether rows of an image of that width lie inside the picture as a whole."""
    left, top, right, bottom = copy.content
    return copy.circle is None and top <= rows.start and rows.stop <= bottom and left == 0 and right == width_px


def _resized(picture: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    is_reduced = size[0] <= width and size[1] <= height
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA if is_reduced else cv2.INTER_LINEAR))


def _bounding_box(circle: Circle, within: Content) -> Content:
    left, top = int(circle.x_px - circle.radius_px), int(circle.y_px - circle.radius_px)
    side = 2 * int(circle.radius_px) + 1
    return Content(
        max(within.left_px, left),
        max(within.top_px, top),
        min(within.right_px, left + side),
        min(within.bottom_px, top + side),
    )


def _placed_in(circle: Circle, content: Content, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return the circle's centre and radii in pixels of a copy of the content."""
    across, down = size[0] / content.width_px, size[1] / content.height_px
    x, y = (circle.x_px - content.left_px + 0.5) * across - 0.5, (circle.y_px - content.top_px + 0.5) * down - 0.5
    return x, y, circle.radius_px * across, circle.radius_px * down


def _mirrored_into_circle(lightness: Float, ellipse: tuple[float, float, float, float]) -> Float:
    """Replace what lies outside of a circle by its mirror image across the edge, along the radius."""
    x0, y0, radius_x, radius_y = ellipse
    y, x = np.mgrid[: lightness.shape[0], : lightness.shape[1]]
    reach, edge = np.hypot((x - x0) / radius_x, (y - y0) / radius_y), 1 - _SOFT_EDGE
    factor = np.where(reach > edge, np.maximum(2 * edge - reach, 0) / np.maximum(reach, edge), 1)
    from_x, from_y = ((zero + (at - zero) * factor).astype(np.float32) for zero, at in ((x0, x), (y0, y)))
    mirrored = cv2.remap(lightness, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(mirrored, np.float32)
