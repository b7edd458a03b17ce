"""Small files of every kind, made when a test needs them."""

import struct
import zlib
from fractions import Fraction
from io import BytesIO
from typing import Any

import av
from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

SECRET = "SECRETSTREET"
PLACE = "+48.8577+002.2950/"


def halves(size: tuple[int, int] = (120, 80), mode: str = "RGB") -> Image.Image:
    """Red on the left, blue on the right, a white corner at the top left."""
    image = Image.new("RGB", size, "blue")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, max(0, size[0] // 2 - 1), size[1]), fill="red")
    pen.rectangle((0, 0, size[0] // 8, size[1] // 8), fill="white")
    return image.convert(mode)


def see_through(size: tuple[int, int] = (120, 80)) -> Image.Image:
    """White drawing on nothing."""
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse(
        (size[0] // 4, size[1] // 4, size[0] // 4 * 3, size[1] // 4 * 3), fill="white"
    )
    return image


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation: int = 1) -> Image.Exif:
    """What a telephone writes: where, when, with what."""
    data = Image.Exif()
    data[0x0112] = orientation
    data[0x010F] = SECRET
    data[0x0132] = "2026:01:02 03:04:05"
    data[0x9286] = SECRET
    data.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 29.6), 3: "E", 4: (2.0, 17.0, 40.2), 29: SECRET})
    return data


XMP = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>{SECRET}</rdf:RDF></x:xmpmeta>'.encode()


def text_chunks() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", SECRET)
    info.add_text("Author", SECRET * 50, zip=True)
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return info


def strange_profile() -> bytes:
    """An sRGB profile in which red and blue have changed places: a conversion shows at once."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace("sRGB".encode("utf-16-be"), "Swap".encode("utf-16-be"))
    return profile.replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")


def moving(count: int = 6, size: tuple[int, int] = (64, 48)) -> list[Image.Image]:
    """A black frame, then coloured ones."""
    return [
        Image.new("RGB", size, (0, 0, 0) if i == 0 else (200, i * 255 // count, 40)) for i in range(count)
    ]


def animation(kind: str, frames: list[Image.Image], **options: Any) -> bytes:
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], **{"duration": 80, **options})


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
        + _chunk(b"IDAT", zlib.compress(bytes(1000)))
        + _chunk(b"IEND", b"")
    )


def png_bomb(width: int, height: int) -> bytes:
    """A PNG of one colour that really holds all its pixels, a thousand to a byte."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
        + _chunk(b"IDAT", data)
        + _chunk(b"IEND", b"")
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def gif_with_frames(count: int) -> bytes:
    """One pixel, shown again and again: twenty bytes a frame."""
    frame = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"
    return b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff" + frame * count + b"\x3b"


def jpeg_that_claims(width: int, height: int) -> bytes:
    """A small JPEG whose header says something else."""
    data = bytearray(encoded(halves((32, 32)), "JPEG"))
    start = data.index(b"\xff\xc0")
    data[start + 5 : start + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def recording(
    container: str,
    video: str | None = None,
    sound: str | None = None,
    *,
    frames: int = 20,
    rate: int = 20,
    size: tuple[int, int] = (64, 48),
    black: int = 0,
    turned: int = 0,
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    metadata: bool = True,
) -> bytes:
    """A film, a sound or both, one second long, with a title, a comment and a place in it."""
    buffer = BytesIO()
    with av.open(buffer, "w", container) as target:
        if metadata:
            target.metadata.update(title=SECRET, comment=SECRET, artist=SECRET, location=PLACE)
        film = target.add_stream(video, rate=rate, options=options) if video else None
        track = target.add_stream(sound, rate=48000, options={"strict": "experimental"}) if sound else None
        for stream in filter(None, (film, track)):
            stream.metadata.update(title=SECRET, handler_name=SECRET)
        if track:
            track.layout = "stereo"
        if film:
            film.width, film.height, film.pix_fmt = *size, pixels
            if turned:
                film.set_display_rotation(turned)
            _write_film(target, film, frames, rate, black)
        if track:
            _write_sound(target, track, 48000 * frames // rate)
    return buffer.getvalue()


def _write_film(target: Any, stream: Any, frames: int, rate: int, black: int) -> None:
    picture = halves((stream.width, stream.height))
    for number in range(frames):
        shown = Image.new("RGB", picture.size) if number < black else picture
        frame = av.VideoFrame.from_image(shown)
        frame.pts, frame.time_base = number, Fraction(1, rate)
        target.mux(stream.encode(frame))
    target.mux(stream.encode(None))


def _write_sound(target: Any, stream: Any, samples: int) -> None:
    step = stream.codec_context.frame_size or 1024
    for position in range(0, samples, step):
        frame = av.AudioFrame(stream.codec_context.format.name, "stereo", step)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate, frame.pts, frame.time_base = 48000, position, Fraction(1, 48000)
        target.mux(stream.encode(frame))
    target.mux(stream.encode(None))


def referring_to(path: str, film: bytes) -> bytes:
    """A QuickTime film that is empty itself and says that its pictures are in the file at `path`."""
    film = _with_alias(film, _alias(path))
    start, end = film.index(b"mdat") + 4, film.index(b"moov") - 4
    return film[:start] + bytes(end - start) + film[end:]


def _with_alias(boxes: bytes, alias: bytes) -> bytes:
    """Replace the data reference, and put the sizes of the boxes around it right."""
    result, position = b"", 0
    while position < len(boxes):
        size, name = struct.unpack_from(">I4s", boxes, position)
        body = boxes[position + 8 : position + size]
        if name in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
            body = _with_alias(body, alias)
        elif name == b"dref":
            body = struct.pack(">II", 0, 1) + alias
        result += struct.pack(">I4s", len(body) + 8, name) + body
        position += size
    return result


def _alias(path: str) -> bytes:
    """An alias record as old Macintoshes wrote it, with the absolute path as its record of type 2."""
    name = path.rpartition("/")[2].encode()
    record = bytes(10) + b"\4disk".ljust(28, b"\0") + bytes(12)
    record += bytes([len(name)]) + name.ljust(63, b"\0") + bytes(16)
    record += struct.pack(">HH", 0, path.count("/")) + bytes(16)
    record += struct.pack(">HH", 2, len(path)) + path.encode() + bytes(len(path) % 2) + b"\xff\xff\0\0"
    record = record.ljust(200, b"\0")
    return struct.pack(">I4sI", len(record) + 12, b"alis", 0) + record
