"""The small picture that stands in timelines, and the blur that stands there before it has arrived."""

import math

import blurhash
from PIL import Image

from fediblog.imaging.colours import flat
from fediblog.imaging.shapes import Job, Small

SIDE = 640
AREA = 640 * 360
"""What peers use: enough for a timeline on a phone, at some 40 kB."""

_BLUR = 32


def make(job: Job, image: Image.Image) -> Small:
    """Write the small picture and return what there is to know about it.

    JPEG, because every client reads it. PNG where the picture is transparent: on paper of any one colour
    some drawing would vanish.
    """
    clear = image.has_transparency_data
    picture = image.convert("RGBA") if clear else flat(image)
    picture = picture.resize(fitting(image.size, SIDE, AREA), Image.Resampling.LANCZOS, reducing_gap=3.0)
    suffix = "png" if clear else "jpg"
    if clear:
        picture.save(job.small_file(suffix), "PNG")
    else:
        picture.save(job.small_file(suffix), "JPEG", quality=80, progressive=True)
    return Small(suffix, *picture.size, _blur(picture))


def fitting(size: tuple[int, int], side: int, area: int) -> tuple[int, int]:
    """The size reduced, never enlarged, to a longest side and an area; the proportions stay."""
    width, height = size
    scale = min(1.0, side / max(size), math.sqrt(area / (width * height)))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _blur(picture: Image.Image) -> str:
    """Four by three components of a thumbnail: the result hardly differs from that of the whole picture."""
    thumbnail = flat(picture).resize(fitting(picture.size, _BLUR, _BLUR * _BLUR), Image.Resampling.BOX)
    return str(blurhash.encode(thumbnail, 4, 3))
