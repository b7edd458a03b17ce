"""GIF and its cousins become silent videos."""

import struct
from pathlib import Path

import av
import pytest
from PIL import Image

from tests.imaging import files
from tests.imaging.conftest import Workshop

pytestmark = pytest.mark.once


def _shown(path: Path) -> list[tuple[float, Image.Image]]:
    """When each frame comes, and what it shows."""
    with av.open(str(path)) as container:
        return [(round(frame.time, 3), frame.to_image()) for frame in container.decode(video=0)]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
async def test_what_moves_becomes_a_video_and_a_picture_of_it(workshop: Workshop, kind: str) -> None:
    made = await workshop.make(files.animation(kind, files.moving(6)))

    assert (made.kind, made.mime, made.suffix) == ("gifv", "video/mp4", "mp4")
    assert (made.width, made.height, made.duration, made.frame_rate) == (64, 48, 0.48, 12.5)
    assert made.bitrate is not None and made.bitrate > 1000
    assert made.blurhash is not None and made.small_suffix == "jpg"
    shown = _shown(made.file)
    assert [moment for moment, _ in shown] == [0.0, 0.08, 0.16, 0.24, 0.32, 0.4]
    greens = [picture.getpixel((30, 20))[1] for _, picture in shown]
    assert greens == sorted(greens) and greens[-1] > 180


async def test_the_video_is_one_that_every_browser_plays(workshop: Workshop) -> None:
    made = await workshop.make(files.animation("GIF", files.moving(6)))

    data = made.file.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(made.file)) as container:
        (stream,) = container.streams
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert container.duration == 480_000


async def test_the_picture_is_not_the_black_frame_at_the_start(workshop: Workshop) -> None:
    made = await workshop.make(files.animation("GIF", files.moving(6)))

    assert made.small is not None
    with Image.open(made.small) as small:
        assert small.getpixel((30, 20))[0] > 150


async def test_if_all_is_black_the_picture_is_black(workshop: Workshop) -> None:
    frames = [Image.new("RGB", (16, 16), (0, 0, number)) for number in range(4)]
    made = await workshop.make(files.animation("PNG", frames))

    assert made.kind == "gifv" and made.small is not None


async def test_each_frame_stays_as_long_as_it_should(workshop: Workshop) -> None:
    frames = files.moving(5)
    made = await workshop.make(files.animation("GIF", frames, duration=[0, 10, 20, 500, 1000]))

    assert made.duration == 1.72  # nothing, and a hundredth of a second, mean a tenth to every browser
    assert [moment for moment, _ in _shown(made.file)] == [0.0, 0.1, 0.2, 0.22, 0.72]


@pytest.mark.parametrize(("size", "expected"), [((63, 47), (62, 46)), ((1, 1), (2, 2)), ((1, 9), (2, 8))])
async def test_odd_sizes_become_even(
    workshop: Workshop, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    made = await workshop.make(files.animation("PNG", files.moving(4, size)))

    assert (made.width, made.height) == expected
    assert _shown(made.file)[0][1].size == expected


async def test_large_animations_are_made_smaller(workshop: Workshop) -> None:
    made = await workshop.make(files.animation("GIF", files.moving(3, (3000, 1500))))

    assert (made.width, made.height) == (1280, 640)


async def test_what_is_transparent_lies_on_white(workshop: Workshop) -> None:
    frames = [files.see_through((64, 48)), Image.new("RGBA", (64, 48), (255, 0, 0, 0))]
    made = await workshop.make(files.animation("WEBP", frames, lossless=True))

    assert min(_shown(made.file)[0][1].getpixel((1, 1))) > 240


async def test_one_frame_is_a_picture(workshop: Workshop) -> None:
    made = await workshop.make(files.animation("GIF", files.moving(1)))

    assert (made.kind, made.mime) == ("image", "image/png")


async def test_a_gif_may_have_as_many_frames_as_the_limit_and_no_more(workshop: Workshop) -> None:
    assert (await workshop.make(files.gif_with_frames(300))).kind == "gifv"
    for path in workshop.workdir.iterdir():
        path.unlink()

    assert "too many frames" in await workshop.refuse(files.gif_with_frames(301))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
async def test_the_cousins_have_the_same_limit(workshop: Workshop, kind: str) -> None:
    data = files.animation(kind, files.moving(6, (16, 16)))

    assert "too many frames" in await workshop.refuse(data, frames=5)


async def test_frames_times_pixels_has_a_limit_too(workshop: Workshop) -> None:
    data = files.gif_with_frames(10)
    wide = data[:6] + struct.pack("<HH", 8000, 4000) + data[10:]

    assert "The animation is too large" in await workshop.refuse(wide)


async def test_nothing_that_was_attached_survives(workshop: Workshop) -> None:
    data = files.animation("GIF", files.moving(4), comment=files.SECRET.encode()) + files.SECRET.encode()
    assert data.count(files.SECRET.encode()) >= 2

    made = await workshop.make(data)

    assert files.SECRET.encode() not in made.file.read_bytes()
