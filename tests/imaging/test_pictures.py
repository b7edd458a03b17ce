"""Still pictures: written anew, upright, in sRGB, and with nothing of the old file but its pixels."""

from collections.abc import Callable
from pathlib import Path

import blurhash
import pytest
from PIL import Image

from fediblog import imaging
from fediblog.errors import Invalid
from fediblog.imaging import Limits
from tests.imaging import files
from tests.imaging.conftest import Workshop

pytestmark = pytest.mark.once

_RED, _BLUE, _WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def _near(colour: object, other: tuple[int, ...], tolerance: int = 30) -> bool:
    assert isinstance(colour, tuple)
    return all(abs(a - b) <= tolerance for a, b in zip(colour, other, strict=True))


def _opened(path: Path | None) -> Image.Image:
    assert path is not None
    with Image.open(path) as image:
        image.load()
        return image


@pytest.mark.parametrize(
    ("kind", "mime", "suffix", "form"),
    [
        ("JPEG", "image/jpeg", "jpg", "JPEG"),
        ("PNG", "image/png", "png", "PNG"),
        ("GIF", "image/png", "png", "PNG"),
        ("WEBP", "image/webp", "webp", "WEBP"),
        ("AVIF", "image/webp", "webp", "WEBP"),
    ],
)
async def test_each_kind_becomes_one_fixed_kind(
    workshop: Workshop, kind: str, mime: str, suffix: str, form: str
) -> None:
    made = await workshop.make(files.encoded(files.halves(), kind))

    assert (made.kind, made.mime, made.suffix) == ("image", mime, suffix)
    assert (made.width, made.height) == (120, 80)
    assert (made.duration, made.frame_rate, made.bitrate) == (None, None, None)
    image = _opened(made.file)
    assert image.format == form and image.size == (120, 80)
    assert _near(image.convert("RGB").getpixel((30, 60)), _RED)
    assert _near(image.convert("RGB").getpixel((90, 60)), _BLUE)


async def test_a_jpeg_is_written_progressively(workshop: Workshop) -> None:
    made = await workshop.make(files.encoded(files.halves(), "JPEG"))

    assert _opened(made.file).info.get("progressive")


async def test_there_is_a_small_picture_and_a_blur(workshop: Workshop) -> None:
    made = await workshop.make(files.encoded(files.halves((1600, 1200)), "PNG"))

    assert (made.width, made.height) == (1600, 1200)
    small = _opened(made.small)
    assert small.format == "JPEG" and made.small_suffix == "jpg"
    assert small.size == (made.small_width, made.small_height) == (554, 416)
    assert made.blurhash is not None and len(made.blurhash) == 28
    blur = blurhash.decode(made.blurhash, 40, 30)
    assert blur.getpixel((5, 25))[0] > 150 > blur.getpixel((35, 25))[0]


@pytest.mark.parametrize(
    ("size", "small"),
    [
        ((640, 360), (640, 360)),
        ((1280, 720), (640, 360)),
        ((4000, 400), (640, 64)),
        ((100, 3000), (21, 640)),
        ((3000, 1), (640, 1)),
        ((20, 10), (20, 10)),
        ((1, 1), (1, 1)),
    ],
)
async def test_the_small_picture_keeps_the_proportions_and_is_never_larger(
    workshop: Workshop, size: tuple[int, int], small: tuple[int, int]
) -> None:
    made = await workshop.make(files.encoded(files.halves(size), "PNG"))

    assert _opened(made.small).size == small


async def test_what_is_transparent_stays_so_also_when_small(workshop: Workshop) -> None:
    for kind in ("PNG", "WEBP", "AVIF", "GIF"):
        made = await workshop.make(files.encoded(files.see_through((1200, 800)), kind))
        for path in (made.file, made.small):
            image = _opened(path).convert("RGBA")
            assert image.getpixel((2, 2))[3] == 0
            assert image.getpixel((image.width // 2, image.height // 2))[3] == 255
        assert made.small_suffix == "png"
        _clear(workshop)


async def test_an_alpha_channel_that_hides_nothing_is_dropped(workshop: Workshop) -> None:
    made = await workshop.make(files.encoded(files.halves(mode="RGBA"), "PNG"))

    assert _opened(made.file).mode == "RGB" and made.small_suffix == "jpg"


async def test_few_colours_stay_few(workshop: Workshop) -> None:
    made = await workshop.make(files.encoded(files.halves().quantize(4), "PNG"))

    assert _opened(made.file).mode == "P"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
async def test_every_form_of_png_is_read(workshop: Workshop, mode: str) -> None:
    image = files.halves(mode="L").convert("I").point(lambda value: value * 257).convert("I;16")
    image = image if mode == "I;16" else files.halves(mode=mode)
    made = await workshop.make(files.encoded(image, "PNG"))

    pixels = _opened(made.file).convert("RGB")
    assert _near(pixels.getpixel((2, 2)), _WHITE)
    assert not _near(pixels.getpixel((90, 60)), _WHITE)


async def test_a_cmyk_jpeg_becomes_rgb(workshop: Workshop) -> None:
    made = await workshop.make(files.encoded(files.halves(mode="CMYK"), "JPEG"))

    image = _opened(made.file)
    assert image.mode == "RGB" and _near(image.getpixel((30, 60)), _RED)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
async def test_the_picture_is_set_upright(workshop: Workshop, kind: str, orientation: int) -> None:
    upright = files.halves((120, 80))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    made = await workshop.make(files.encoded(stored, kind, exif=files.exif(orientation)))

    assert (made.width, made.height) == (120, 80)
    for path in (made.file, made.small):
        image = _opened(path).convert("RGB")
        assert _near(image.getpixel((4, 4)), _WHITE, 60)
        assert _near(image.getpixel((30, 60)), _RED)
        assert _near(image.getpixel((90, 60)), _BLUE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF"])
async def test_nothing_that_was_attached_survives(workshop: Workshop, kind: str) -> None:
    attached: dict[str, dict[str, object]] = {
        "JPEG": {"comment": files.SECRET.encode()},
        "PNG": {"pnginfo": files.text_chunks()},
        "GIF": {"comment": files.SECRET.encode()},
    }
    options = attached.get(kind, {})
    if kind != "GIF":
        options |= {"exif": files.exif(), "icc_profile": files.strange_profile()}
    if kind in ("JPEG", "WEBP", "AVIF"):
        options |= {"xmp": files.XMP}
    source = files.encoded(files.halves(), kind, **options) + files.SECRET.encode()
    assert files.SECRET.encode() in source

    made = await workshop.make(source)

    for path in (made.file, made.small):
        assert path is not None
        data = path.read_bytes()
        for trace in (
            files.SECRET.encode(),
            b"Exif",
            b"xmpmeta",
            b"ICC_PROFILE",
            b"iCCP",
            b"tEXt",
            b"zTXt",
            b"iTXt",
        ):
            assert trace not in data
        image = _opened(path)
        assert not image.getexif() and not image.getexif().get_ifd(0x8825)
        assert set(image.info) <= {
            "jfif",
            "jfif_version",
            "jfif_unit",
            "jfif_density",
            "progressive",
            "progression",
        } | {*("loop", "background", "timestamp", "duration")}


async def test_the_place_in_exif_is_really_there_before(workshop: Workshop) -> None:
    source = files.encoded(files.halves(), "JPEG", exif=files.exif())
    path = workshop.upload(source)
    assert _opened(path).getexif().get_ifd(0x8825)[2] == (48.0, 51.0, 29.6)

    made = await workshop.make(source)

    assert _opened(made.file).getexif().get_ifd(0x8825) == {}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_colours_are_converted_by_the_profile_before_it_goes(workshop: Workshop, kind: str) -> None:
    source = files.encoded(files.halves(), kind, icc_profile=files.strange_profile())

    made = await workshop.make(source)

    for path in (made.file, made.small):
        image = _opened(path).convert("RGB")
        assert image.getpixel((30, 60))[2] > 200 > 60 > image.getpixel((30, 60))[0]
        assert image.getpixel((90, 60))[0] > 200 > 60 > image.getpixel((90, 60))[2]


async def test_a_broken_profile_or_broken_exif_is_no_reason_to_refuse(workshop: Workshop) -> None:
    for options in ({"icc_profile": b"not a profile" * 20}, {"exif": b"Exif\0\0MM\0*\xff\xff\xff\xff"}):
        made = await workshop.make(files.encoded(files.halves(), "JPEG", **options))
        assert _near(_opened(made.file).getpixel((30, 60)), _RED)
        _clear(workshop)


async def test_what_hides_behind_the_picture_is_gone(workshop: Workshop) -> None:
    hidden = b"PK\x03\x04<script>alert(1)</script>" + files.SECRET.encode()
    for kind in ("JPEG", "PNG", "GIF"):
        made = await workshop.make(files.encoded(files.halves(), kind) + hidden)
        assert hidden not in made.file.read_bytes() and b"script" not in made.file.read_bytes()
        _clear(workshop)


async def test_the_second_picture_of_a_telephone_stays_behind(workshop: Workshop) -> None:
    second = Image.new("RGB", (120, 80), "green")
    source = files.encoded(files.halves(), "MPO", save_all=True, append_images=[second])

    made = await workshop.make(source)

    assert made.kind == "image" and made.file.read_bytes().count(b"\xff\xd8\xff") == 1
    assert _near(_opened(made.file).getpixel((30, 60)), _RED)


async def test_noise_can_be_written(workshop: Workshop) -> None:
    """The progressive writer needs one buffer for all of it, and noise does not shrink."""
    noise = Image.effect_noise((900, 700), 120).convert("RGB")
    made = await workshop.make(files.encoded(noise, "JPEG", quality=98, subsampling=0))

    assert _opened(made.file).size == (900, 700)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
@pytest.mark.parametrize("size", [(400, 400), (30, 20), (900, 300), (300, 900)])
async def test_an_avatar_is_a_square_from_the_middle(
    upload: Callable[[bytes], Path], workdir: Path, kind: str, size: tuple[int, int]
) -> None:
    source = upload(
        files.encoded(files.halves(size), kind, **({} if kind == "GIF" else {"exif": files.exif(1)}))
    )

    made = await imaging.make_avatar(source, workdir, Limits())

    image = _opened(made.file)
    assert image.size == (made.width, made.height) == (400, 400)
    assert (made.kind, made.mime, made.small, made.blurhash) == ("image", "image/jpeg", None, None)
    assert _near(image.getpixel((150, 200)), _RED, 60) and _near(image.getpixel((250, 200)), _BLUE, 60)
    assert files.SECRET.encode() not in made.file.read_bytes()
    assert list(workdir.iterdir()) == [made.file]


async def test_a_header_is_wide(upload: Callable[[bytes], Path], workdir: Path) -> None:
    made = await imaging.make_header(
        upload(files.encoded(files.halves((600, 600)), "PNG")), workdir, Limits()
    )

    assert _opened(made.file).size == (1500, 500)


async def test_an_avatar_may_be_transparent(upload: Callable[[bytes], Path], workdir: Path) -> None:
    made = await imaging.make_avatar(upload(files.encoded(files.see_through(), "PNG")), workdir, Limits())

    assert made.mime == "image/png" and _opened(made.file).getpixel((1, 1))[3] == 0


async def test_an_animated_avatar_stands_still(upload: Callable[[bytes], Path], workdir: Path) -> None:
    frames = [files.halves(), Image.new("RGB", (120, 80), "green")] * 200
    source = upload(files.animation("GIF", frames))

    made = await imaging.make_avatar(source, workdir, Limits())

    assert made.mime == "image/jpeg" and _near(_opened(made.file).getpixel((150, 200)), _RED, 60)


async def test_a_film_is_no_avatar(upload: Callable[[bytes], Path], workdir: Path) -> None:
    with pytest.raises(Invalid, match="File content type is invalid"):
        await imaging.make_avatar(upload(files.recording("mp4", "libx264")), workdir, Limits())

    assert list(workdir.iterdir()) == []


async def test_a_picture_stands_still_whatever_it_was(upload: Callable[[bytes], Path], workdir: Path) -> None:
    frames = [files.halves((900, 700)), Image.new("RGB", (900, 700), "green")]
    source = upload(files.animation("GIF", frames))

    made = await imaging.make_picture(source, workdir, Limits())

    assert (made.kind, made.mime) == ("image", "image/png") and _opened(made.file).size == (900, 700)
    assert max(_opened(made.small).size) <= 640
    with pytest.raises(Invalid, match="File content type is invalid"):
        await imaging.make_picture(upload(files.recording("mp4", "libx264")), workdir, Limits())


@pytest.mark.parametrize(
    ("size", "shown"), [((600, 300), (128, 64)), ((20, 30), (20, 30)), ((9, 900), (1, 128))]
)
async def test_an_emoji_is_small_and_whole(
    upload: Callable[[bytes], Path], workdir: Path, size: tuple[int, int], shown: tuple[int, int]
) -> None:
    made = await imaging.make_emoji(upload(files.encoded(files.see_through(size), "PNG")), workdir, Limits())

    assert (made.mime, made.small) == ("image/png", None)
    assert _opened(made.file).size == (made.width, made.height) == shown
    assert _opened(made.file).getpixel((0, 0))[3] == 0
    assert files.SECRET.encode() not in made.file.read_bytes()


def _clear(workshop: Workshop) -> None:
    for path in workshop.workdir.iterdir():
        path.unlink()
