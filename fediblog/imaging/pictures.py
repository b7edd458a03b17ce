"""Still pictures: decoded, set upright, converted to sRGB and written anew.

Nothing but pixels goes from the old file to the new one, so EXIF, XMP, comments, profiles, a second picture
or a program hidden behind the first stay behind.

What came in as JPEG goes out as JPEG, PNG and GIF (drawings, screenshots: sharp edges, few colours) as PNG,
which loses nothing. WebP and AVIF become WebP: as PNG a photo would be ten times the size, and AVIF cannot be
shown by many of the apps and servers that will see it.
"""

import struct

from PIL import ImageOps
from PIL.Image import Image, Resampling, Transpose

from fediblog.imaging import previews
from fediblog.imaging.colours import flat, to_srgb
from fediblog.imaging.headers import opened
from fediblog.imaging.shapes import TYPES, Job, Result

_ORIENTATION = 0x0112
# The values 2 to 8 of the EXIF tag: what has to be done to see the picture upright.
_UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
_EMOJI = 128
_CUTS = {"avatar": (400, 400), "header": (1500, 500)}


def make(job: Job) -> Result:
    """Write the picture, and for `media` and `picture` its small one."""
    image = _pixels(job)
    if job.recipe in _CUTS:
        return _cut(job, image)
    if job.recipe == "emoji":
        return _shrunk(job, image)
    small = previews.make(job, image)
    mime = _write(job, image)
    return Result("image", mime, *image.size, small=small)


def _pixels(job: Job) -> Image:
    with opened(job) as image:
        image.load()
        turn = _UPRIGHT.get(_orientation(image))
        upright = image.transpose(turn) if turn is not None else image.copy()
        upright.info = dict(image.info)
    return to_srgb(upright)


def _orientation(image: Image) -> int:
    """What EXIF says, or 1: broken EXIF is common and no reason to refuse a picture."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except (SyntaxError, ValueError, TypeError, LookupError, OSError, struct.error):
        return 1
    return value if isinstance(value, int) else 1


def _write(job: Job, image: Image) -> str:
    if job.mime == "image/jpeg":
        image.save(job.file("jpg"), "JPEG", quality=90, progressive=True)
        return "image/jpeg"
    if job.mime in ("image/webp", "image/avif"):
        image.save(job.file("webp"), "WEBP", quality=90, method=2)
        return "image/webp"
    image.save(job.file("png"), "PNG")
    return "image/png"


def _cut(job: Job, image: Image) -> Result:
    """One fixed size, filled and centred; JPEG, or PNG when it is transparent."""
    clear = image.has_transparency_data
    image = image.convert("RGBA") if clear else flat(image)
    image = ImageOps.fit(image, _CUTS[job.recipe], Resampling.LANCZOS)
    mime = "image/png" if clear else "image/jpeg"
    options = {} if clear else {"quality": 90, "progressive": True}
    image.save(job.file(TYPES[mime]), "PNG" if clear else "JPEG", **options)
    return Result("image", mime, *image.size)


def _shrunk(job: Job, image: Image) -> Result:
    """Whole, at most so large on a side, as PNG: emoji are drawings with nothing around them."""
    image = image.convert("RGBA") if image.has_transparency_data else flat(image)
    image = image.resize(previews.fitting(image.size, _EMOJI, _EMOJI * _EMOJI), Resampling.LANCZOS)
    image.save(job.file("png"), "PNG")
    return Result("image", "image/png", *image.size)
