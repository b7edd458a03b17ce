"""Which frame of a film to show while it does not run."""

from collections.abc import Iterable

from PIL import Image, ImageStat

from fediblog.errors import Invalid
from fediblog.imaging.shapes import DAMAGED

_DARK = 24
_SPARE = 150


def first_visible(frames: Iterable[Image.Image]) -> Image.Image:
    """The first frame that is not all but black, of some five seconds; else the very first.

    Many films fade in from black, and a black rectangle says nothing. Raises Invalid when there is no frame.
    """
    first = None
    for number, frame in enumerate(frames):
        if first is None:
            first = frame
        if ImageStat.Stat(frame.convert("L").resize((32, 32))).mean[0] > _DARK:
            return frame
        if number >= _SPARE:
            break
    if first is None:
        raise Invalid(DAMAGED)
    return first
