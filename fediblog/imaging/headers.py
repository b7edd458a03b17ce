"""What a picture says of itself before a single pixel is decoded, and whether that is within the limits."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from fediblog.errors import Invalid
from fediblog.imaging.shapes import DAMAGED, UNREADABLE, Job, Limits

# Only the reader that belongs to the sniffed type gets to see a file: Pillow knows forty more, and importing
# these here keeps it from loading them.
_READERS = {
    "image/jpeg": JpegImagePlugin.JpegImageFile.format,
    "image/png": PngImagePlugin.PngImageFile.format,
    "image/gif": GifImagePlugin.GifImageFile.format,
    "image/webp": WebPImagePlugin.WebPImageFile.format,
    "image/avif": AvifImagePlugin.AvifImageFile.format,
}
_EXTENSION, _FRAME = 0x21, 0x2C


@contextmanager
def opened(job: Job) -> Iterator[Image.Image]:
    """The picture, its header read and measured, its pixels not yet. Raises Invalid when it is too large."""
    limits = job.limits
    # Pillow raises from twice this number on, also for what turns up later in the file, and warns above it.
    Image.MAX_IMAGE_PIXELS = limits.pixels // 2
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    try:
        image = Image.open(job.source, formats=[_READERS[job.mime] or ""])
    except UnidentifiedImageError:
        raise Invalid(UNREADABLE) from None
    except Image.DecompressionBombError:
        raise Invalid(_too_large(limits)) from None
    with image:
        check_size(image.size, limits)
        if job.mime == "image/jpeg":
            _check_density(image, Path(job.source).stat().st_size)
        yield image


def check_size(size: tuple[int, int], limits: Limits) -> None:
    """Raise Invalid when there are too many pixels, on a side or altogether, or none at all."""
    width, height = size
    if max(size) > limits.side or width * height > limits.pixels or min(size) < 1:
        raise Invalid(_too_large(limits))


def _check_density(image: Image.Image, size: int) -> None:
    """Raise Invalid when a JPEG cannot hold what its header claims: a block of 8 x 8 takes one bit at least.

    libjpeg fills what is missing with grey and is content; a kilobyte could cost us 33 megapixels.
    """
    if image.width * image.height > size * 8 * 64:
        raise Invalid(DAMAGED)


def frames(job: Job) -> int:
    """How many frames the picture has; 1 when it stands still. Raises Invalid when they are too many."""
    with opened(job) as image:
        if job.mime == "image/gif":
            count = _gif_frames(Path(job.source).read_bytes(), job.limits.frames)
        elif job.mime == "image/jpeg":
            # Phones put a second, small picture behind the first (MPF); that is no animation.
            count = 1
        else:
            count = getattr(image, "n_frames", 1)
    if count > job.limits.frames and job.recipe == "media":
        raise Invalid(f"The animation has too many frames: at most {job.limits.frames}.")
    return count


def _gif_frames(data: bytes, most: int) -> int:
    """Count image descriptors (GIF89a §20), up to one more than `most`.

    Pillow knows the number only after walking through all of them, some 10 µs each: 8 MB hold 400 000.
    """
    count, position = 0, 13 + _colour_table(data[10:11])
    while count <= most and position < len(data):
        if data[position] == _EXTENSION:
            position = _after_blocks(data, position + 2)
        elif data[position] == _FRAME:
            count += 1
            position = _after_blocks(data, position + 11 + _colour_table(data[position + 9 : position + 10]))
        else:
            break
    return count


def _colour_table(flags: bytes) -> int:
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _after_blocks(data: bytes, position: int) -> int:
    while position < len(data) and data[position]:
        position += data[position] + 1
    return position + 1


def _too_large(limits: Limits) -> str:
    return (
        f"The picture is too large: at most {limits.pixels / 1e6:.3g} megapixels"
        f" and {limits.side} pixels a side."
    )
