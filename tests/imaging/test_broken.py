"""Files that are not what they say, hold more than they show, or end too early: refused, and quickly."""

import random
import struct
import time
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from fediblog.errors import Invalid
from tests.imaging import files
from tests.imaging.conftest import Workshop

pytestmark = pytest.mark.once

_INVALID = "File content type is invalid"
_DAMAGED = "The file is damaged or incomplete."
_PIXELS = "The picture is too large: at most 33 megapixels and 8192 pixels a side."
# What Python and Pillow need to look at a header, and not enough for the pixels of any of the bombs.
_SMALL_MEMORY = 64 * 1024 * 1024

_SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 100,
        b"<!DOCTYPE html><html><script>alert(1)</script>",
        _SVG,
        b'<?xml version="1.0"?>' + _SVG,
        b"{}",
    ],
)
async def test_what_is_no_picture_is_refused_whatever_its_name(workshop: Workshop, data: bytes) -> None:
    assert await workshop.refuse(data) == _INVALID


async def test_html_behind_the_signature_of_a_picture_is_refused(workshop: Workshop) -> None:
    html = b"<html><script>alert(1)</script>" * 20
    for signature in (
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"\xff\xd8\xff\xe0",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"ID3",
        b"OggS",
    ):
        assert await workshop.refuse(signature + html) in (_INVALID, _DAMAGED, _PIXELS)


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(lambda: files.png_header(60_000, 60_000), id="a png of 60000 x 60000"),
        pytest.param(lambda: files.png_header(2**31 - 1, 2**31 - 1), id="a png of 2^31 x 2^31"),
        pytest.param(lambda: files.png_header(8193, 1), id="a png that is too long"),
        pytest.param(lambda: files.png_header(6000, 6000), id="a png of 36 megapixels"),
        pytest.param(lambda: files.png_bomb(20_000, 20_000), id="a png of 400 megapixels in 50 kB"),
        pytest.param(lambda: files.jpeg_that_claims(65_500, 65_500), id="a jpeg of 65500 x 65500"),
        pytest.param(lambda: _gif_screen(65_535, 65_535), id="a gif of 65535 x 65535"),
        pytest.param(lambda: _webp_canvas(16_384, 16_384), id="a webp of 16384 x 16384"),
        pytest.param(lambda: _avif_that_claims(8000, 5000), id="an avif of 40 megapixels"),
    ],
)
async def test_a_picture_that_is_too_large_is_refused_by_its_header(
    workshop: Workshop, bomb: Callable[[], bytes]
) -> None:
    data = bomb()
    started = time.monotonic()

    assert await workshop.refuse(data, memory=_SMALL_MEMORY) == _PIXELS

    assert time.monotonic() - started < 5


async def test_a_gif_of_hundreds_of_thousands_of_frames_is_refused_by_counting(workshop: Workshop) -> None:
    data = files.gif_with_frames(500_000)
    started = time.monotonic()

    assert "too many frames" in await workshop.refuse(data, memory=_SMALL_MEMORY)

    assert time.monotonic() - started < 5


async def test_a_frame_larger_than_its_gif_is_refused(workshop: Workshop) -> None:
    data = files.animation("GIF", files.moving(3))
    at = data.index(b"\x2c", data.index(b"\x2c") + 200)
    wide = data[: at + 5] + struct.pack("<HH", 60_000, 60_000) + data[at + 9 :]

    assert await workshop.refuse(wide) in (_DAMAGED, _PIXELS)


async def test_a_jpeg_that_claims_more_than_it_can_hold_is_refused_by_its_header(workshop: Workshop) -> None:
    assert await workshop.refuse(files.jpeg_that_claims(8000, 4000), memory=_SMALL_MEMORY) == _DAMAGED


async def test_the_emptiest_real_jpeg_is_not_taken_for_a_liar(workshop: Workshop) -> None:
    empty = Image.new("L", (4000, 4000))
    for options in ({}, {"progressive": True}):
        made = await workshop.make(files.encoded(empty, "JPEG", quality=1, **options))
        assert made.width == 4000
        _clear(workshop)


async def test_a_jpeg_that_claims_less_than_it_has_is_as_small_as_it_claims(workshop: Workshop) -> None:
    made = await workshop.make(files.jpeg_that_claims(16, 8))

    assert (made.width, made.height) == (16, 8)


async def test_a_second_size_later_in_a_jpeg_does_not_get_through(workshop: Workshop) -> None:
    small, large = files.jpeg_that_claims(32, 32), files.jpeg_that_claims(60_000, 60_000)
    start, end = large.index(b"\xff\xc0"), large.index(b"\xff\xc4")
    at = small.index(b"\xff\xda")

    assert await workshop.refuse(small[:at] + large[start:end] + small[at:]) in (_DAMAGED, _PIXELS)


async def test_text_and_profiles_that_unpack_to_gigabytes_do_no_harm(workshop: Workshop) -> None:
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(512)) + packer.flush()
    png = files.encoded(files.halves(), "PNG")
    for name, data in ((b"zTXt", b"Comment\0\0" + packed), (b"iCCP", b"profile\0\0" + packed)):
        chunk = struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        try:
            made = await workshop.make(png[:33] + chunk + png[33:], memory=200 * 1024 * 1024)
        except Invalid as refusal:
            assert refusal.message == _DAMAGED and workshop.left() == set()
        else:
            assert made.file.stat().st_size < 10_000
            _clear(workshop)


async def test_a_file_over_its_number_of_bytes_is_refused(workshop: Workshop) -> None:
    picture, film = files.encoded(files.halves(), "PNG"), files.recording("mp4", "libx264")

    assert "too big: at most" in await workshop.refuse(picture, image_bytes=len(picture) - 1)
    assert "too big: at most" in await workshop.refuse(film, video_bytes=len(film) - 1)
    await workshop.make(picture, image_bytes=len(picture))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.9])
async def test_a_picture_that_breaks_off_is_refused(workshop: Workshop, kind: str, part: float) -> None:
    data = files.encoded(files.halves((200, 150)), kind)

    assert await workshop.refuse(data[: max(16, int(len(data) * part))]) in (_DAMAGED, _INVALID)


@pytest.mark.parametrize(("container", "video"), [("mp4", "libx264"), ("webm", "libvpx")])
async def test_a_film_without_its_index_or_its_frames_is_refused(
    workshop: Workshop, container: str, video: str
) -> None:
    data = files.recording(container, video)
    end = data.index(b"mdat") if container == "mp4" else data.index(b"\x1f\x43\xb6\x75")

    for size in (64, end, end + 20):
        assert await workshop.refuse(data[:size]) in (_DAMAGED, _INVALID)


_SAMPLES: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: files.encoded(
        files.halves(), "JPEG", exif=files.exif(6), icc_profile=files.strange_profile()
    ),
    "png": lambda: files.encoded(files.halves(), "PNG", exif=files.exif(3), pnginfo=files.text_chunks()),
    "gif": lambda: files.animation("GIF", files.moving(4)),
    "webp": lambda: files.encoded(files.see_through(), "WEBP", exif=files.exif(5), xmp=files.XMP),
    "webp moving": lambda: files.animation("WEBP", files.moving(4)),
    "avif": lambda: files.encoded(files.halves(), "AVIF", exif=files.exif(2)),
    "mp4": lambda: files.recording("mp4", "libx264", "aac"),
    "webm": lambda: files.recording("webm", "libvpx", "vorbis"),
    "mp3": lambda: files.recording("mp3", sound="libmp3lame"),
    "ogg": lambda: files.recording("ogg", sound="libopus"),
    "wav": lambda: files.recording("wav", sound="pcm_s16le"),
    "flac": lambda: files.recording("flac", sound="flac"),
}


@pytest.mark.parametrize("sample", _SAMPLES)
async def test_bits_that_have_flipped_lead_to_a_file_or_to_a_sentence(
    workshop: Workshop, sample: str
) -> None:
    """Never to another error, and never to a file left lying about."""
    dice, data = random.Random(sample), _SAMPLES[sample]()
    for _ in range(5):
        flipped = bytearray(data)
        for _ in range(dice.choice((1, 3, 20))):
            # Half of the hits go to the head of the file, where the structure is.
            place = dice.randrange(len(flipped) if dice.random() < 0.5 else min(200, len(flipped)))
            flipped[place] = dice.choice((0, 0xFF, 0x7F, dice.randrange(256)))
        try:
            await workshop.make(bytes(flipped), seconds=20)
        except Invalid as refusal:
            assert refusal.message.endswith((".", "invalid")) and workshop.left() == set()
        _clear(workshop)


def _gif_screen(width: int, height: int) -> bytes:
    data = files.encoded(files.halves(), "GIF")
    return data[:6] + struct.pack("<HH", width, height) + data[10:]


def _webp_canvas(width: int, height: int) -> bytes:
    data = bytearray(files.encoded(files.see_through(), "WEBP", exif=files.exif()))
    assert data[12:16] == b"VP8X"
    data[24:27] = (width - 1).to_bytes(3, "little")
    data[27:30] = (height - 1).to_bytes(3, "little")
    return bytes(data)


def _avif_that_claims(width: int, height: int) -> bytes:
    data = bytearray(files.encoded(files.halves(), "AVIF"))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", width, height)
    return bytes(data)


def _clear(workshop: Workshop) -> None:
    for path in workshop.workdir.iterdir():
        path.unlink()
