"""Makes the pictures that apps show for accounts without any. They are committed; this is how they were made.

python tools/build_pictures.py
"""

from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageDraw

STATIC = Path(__file__).parent.parent / "fediblog" / "web" / "static"

PETROL, PALE = (11, 107, 117), (223, 241, 242)
STOPS = ((0.0, PETROL), (0.55, (22, 74, 107)), (1.0, (75, 59, 115)))

Colour = tuple[int, ...]


def avatar(size: int = 400) -> Image.Image:
    """Head and shoulders."""
    image = Image.new("RGB", (size * 4, size * 4), PETROL)
    draw = ImageDraw.Draw(image)
    draw.ellipse([part * size * 4 // 100 for part in (32, 20, 68, 56)], fill=PALE)
    draw.ellipse([part * size * 4 // 100 for part in (15, 63, 85, 140)], fill=PALE)
    return image.resize((size, size), Image.Resampling.LANCZOS).quantize(32)


def header(width: int = 1500, height: int = 500) -> Image.Image:
    """The gradient that pages have there."""
    line = Image.new("RGB", (width, 1))
    line.putdata([_colour(place / width) for place in range(width)])
    return line.resize((width, height)).quantize(64)


def _colour(place: float) -> Colour:
    for (start, first), (end, second) in pairwise(STOPS):
        if place <= end:
            share = (place - start) / (end - start)
            return tuple(round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return STOPS[-1][1]


if __name__ == "__main__":
    avatar().save(STATIC / "missing-avatar.png", optimize=True)
    header().save(STATIC / "missing-header.png", optimize=True)
