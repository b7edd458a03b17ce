"""Video and sound: what browsers play goes into a clean container, the rest is refused."""

import struct
from io import BytesIO
from pathlib import Path

import av
import pytest
from PIL import Image

from fediblog.errors import Invalid
from fediblog.imaging.tags import without_comments
from tests.imaging import files
from tests.imaging.conftest import Workshop

pytestmark = pytest.mark.once

_TRACES = [files.SECRET.encode(), b"48.8577", b"x264 - core", b"Lavf6"]


def _streams(path: Path) -> list[tuple[str, str]]:
    with av.open(str(path)) as container:
        assert files.SECRET not in str(container.metadata) + str([s.metadata for s in container.streams])
        return [(s.type, s.codec_context.codec.canonical_name) for s in container.streams]


def _decoded(path: Path) -> int:
    """How many frames come out of the first track."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(container.streams[0]))


@pytest.mark.parametrize(
    ("container", "video", "sound", "mime", "codecs"),
    [
        ("mp4", "libx264", "aac", "video/mp4", ["h264", "aac"]),
        ("mov", "libx264", "aac", "video/mp4", ["h264", "aac"]),
        ("mp4", "libx264", None, "video/mp4", ["h264"]),
        ("mp4", "libx264", "libmp3lame", "video/mp4", ["h264", "mp3"]),
        ("mp4", "libsvtav1", "libopus", "video/mp4", ["av1", "opus"]),
        ("mp4", "libvpx-vp9", "flac", "video/mp4", ["vp9", "flac"]),
        ("webm", "libvpx", "vorbis", "video/webm", ["vp8", "vorbis"]),
        ("webm", "libvpx-vp9", "libopus", "video/webm", ["vp9", "opus"]),
        ("webm", "libsvtav1", None, "video/webm", ["av1"]),
    ],
)
async def test_what_browsers_play_is_moved_and_cleaned(
    workshop: Workshop, container: str, video: str, sound: str | None, mime: str, codecs: list[str]
) -> None:
    source = files.recording(container, video, sound)
    assert files.SECRET.encode() in source

    made = await workshop.make(source)

    assert (made.kind, made.mime, made.suffix) == ("video", mime, mime.split("/")[1])
    assert (made.width, made.height, made.small_width, made.small_height) == (64, 48, 64, 48)
    assert made.duration == pytest.approx(1.0, abs=0.1)
    assert made.frame_rate == pytest.approx(20, abs=0.1)
    assert made.bitrate == pytest.approx(made.file.stat().st_size * 8, rel=0.1)
    assert [codec for _, codec in _streams(made.file)] == codecs
    assert _decoded(made.file) == 20
    assert not [trace for trace in _TRACES if trace in made.file.read_bytes()]


@pytest.mark.parametrize(
    ("container", "sound", "mime", "suffix"),
    [
        ("ipod", "aac", "audio/mp4", "m4a"),
        ("adts", "aac", "audio/mp4", "m4a"),
        ("mp4", "aac", "audio/mp4", "m4a"),
        ("mp3", "libmp3lame", "audio/mpeg", "mp3"),
        ("ogg", "libopus", "audio/ogg", "ogg"),
        ("ogg", "vorbis", "audio/ogg", "ogg"),
        ("ogg", "flac", "audio/ogg", "ogg"),
        ("webm", "libopus", "audio/webm", "weba"),
        ("wav", "pcm_s16le", "audio/wav", "wav"),
        ("wav", "pcm_f32le", "audio/wav", "wav"),
        ("flac", "flac", "audio/flac", "flac"),
    ],
)
async def test_sound_is_moved_and_cleaned(
    workshop: Workshop, container: str, sound: str, mime: str, suffix: str
) -> None:
    made = await workshop.make(files.recording(container, sound=sound))

    assert (made.kind, made.mime, made.suffix) == ("audio", mime, suffix)
    assert (made.small, made.width, made.height, made.frame_rate, made.blurhash) == (None,) * 5
    assert made.duration == pytest.approx(1.0, abs=0.05)
    assert made.bitrate is not None and made.bitrate > 500
    assert len(_streams(made.file)) == 1
    assert _decoded(made.file) > 5
    assert not [trace for trace in _TRACES if trace in made.file.read_bytes()]


@pytest.mark.parametrize("container", ["wav", "mp4"])
async def test_titles_in_an_old_encoding_do_no_harm(workshop: Workshop, container: str) -> None:
    codec = {"wav": "pcm_s16le", "mp4": "aac"}[container]
    source = files.recording(container, sound=codec).replace(
        files.SECRET.encode(), b"Bj\xf6rk \xff\xfe\xe9 xy"
    )

    assert (await workshop.make(source)).kind == "audio"


async def test_a_film_can_be_played_before_it_has_arrived(workshop: Workshop) -> None:
    made = await workshop.make(files.recording("mp4", "libx264", "aac"))

    data = made.file.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


async def test_the_picture_is_the_first_frame_with_something_to_see(workshop: Workshop) -> None:
    made = await workshop.make(files.recording("mp4", "libx264", black=9))

    assert made.small is not None and made.blurhash is not None
    with Image.open(made.small) as small:
        assert small.getpixel((10, 40))[0] > 180 and small.getpixel((50, 40))[2] > 180


@pytest.mark.parametrize("turned", [90, 180, 270])
async def test_a_telephone_held_upright_films_upright(workshop: Workshop, turned: int) -> None:
    made = await workshop.make(files.recording("mp4", "libx264", turned=turned))

    assert (made.width, made.height) == ((64, 48) if turned == 180 else (48, 64))
    assert made.small is not None
    with Image.open(made.small) as small:
        assert small.size == (made.width, made.height)
        # Left is red and right is blue before; turned counter-clockwise, the right side comes to the top.
        place = {90: (24, 10), 180: (10, 24), 270: (24, 54)}[turned]
        assert small.getpixel(place)[2] > 180
    with av.open(str(made.file)) as container:
        assert next(container.decode(video=0)).rotation % 360 == turned


@pytest.mark.parametrize(
    ("container", "video", "sound", "name"),
    [
        ("mp4", "libx265", None, "HEVC"),
        ("mp4", "mpeg4", None, "MPEG4"),
        ("mov", "prores", None, "PRORES"),
        ("mp4", "libx264", "ac3", "AC3"),
        ("mov", "libx264", "pcm_s16le", "PCM_S16LE"),
        ("wav", None, "pcm_alaw", "PCM_ALAW"),
    ],
)
async def test_what_browsers_do_not_play_is_refused_by_name(
    workshop: Workshop, container: str, video: str | None, sound: str | None, name: str
) -> None:
    pixels = "yuv422p10le" if video == "prores" else "yuv420p"
    source = files.recording(container, video, sound, pixels=pixels, size=(128, 96))

    sentence = await workshop.refuse(source)

    assert sentence.startswith(f"The file uses {name}, which browsers do not play")


@pytest.mark.parametrize("pixels", ["yuv444p", "yuv420p10le"])
async def test_h264_with_more_than_browsers_decode_is_refused(workshop: Workshop, pixels: str) -> None:
    assert "8 bits and 4:2:0" in await workshop.refuse(files.recording("mp4", "libx264", pixels=pixels))


async def test_the_cover_of_a_song_is_not_taken_for_a_film(workshop: Workshop) -> None:
    made = await workshop.make(_mp3_with_cover())

    assert made.kind == "audio"
    assert b"APIC" not in made.file.read_bytes() and b"JFIF" not in made.file.read_bytes()


async def test_other_tracks_stay_behind(workshop: Workshop) -> None:
    made = await workshop.make(_with_subtitles())

    assert _streams(made.file) == [("video", "h264")]
    assert files.SECRET.encode() not in made.file.read_bytes()


async def test_comments_inside_vorbis_go_too(workshop: Workshop) -> None:
    source = _webm_with_vorbis_comment()
    assert source.count(files.SECRET.encode()) == 1

    made = await workshop.make(source)

    assert made.suffix == "weba" and _decoded(made.file) > 5
    assert files.SECRET.encode() not in made.file.read_bytes()


@pytest.mark.parametrize("headers", [b"", b"\x02", b"\x02\xff\xff", b"\x01\x02\x03", b"\x02\x1e"])
def test_vorbis_headers_that_are_none_are_refused(headers: bytes) -> None:
    with pytest.raises(Invalid):
        without_comments(headers)


async def test_what_hangs_behind_the_film_is_gone(workshop: Workshop) -> None:
    for container, video in (("mp4", "libx264"), ("webm", "libvpx")):
        made = await workshop.make(files.recording(container, video) + b"<script>alert(1)</script>" * 10)
        assert b"script" not in made.file.read_bytes()
        for path in workshop.workdir.iterdir():
            path.unlink()


async def test_limits_hold_for_pixels_seconds_and_frames_a_second(workshop: Workshop) -> None:
    film = files.recording("mp4", "libx264", frames=60, rate=60)

    assert "too large" in await workshop.refuse(film, video_pixels=64 * 48 - 1)
    assert "too large" in await workshop.refuse(film, side=63)
    assert "too many frames a second" in await workshop.refuse(film, frame_rate=59)
    assert "too long" in await workshop.refuse(film, duration=0.9)
    assert "too long" in await workshop.refuse(files.recording("mp3", sound="libmp3lame"), duration=0.9)
    await workshop.make(film, video_pixels=64 * 48, side=64, frame_rate=60.1, duration=1.1)


async def test_the_length_is_counted_and_not_believed(workshop: Workshop) -> None:
    film = bytearray(files.recording("mp4", "libx264"))
    header = film.index(b"mvhd") + 4
    film[header + 16 : header + 20] = struct.pack(">I", 1)

    assert (await workshop.make(bytes(film))).duration == pytest.approx(1.0, abs=0.05)


async def test_a_codec_that_nobody_knows_is_refused(workshop: Workshop) -> None:
    film = files.recording("mp4", "libx264")
    at = film.rindex(b"avc1")

    assert "which browsers do not play" in await workshop.refuse(film[:at] + b"zzzz" + film[at + 4 :])


async def test_references_to_other_files_are_not_followed(workshop: Workshop, tmp_path: Path) -> None:
    """A film may say that its pictures are in another file: whoever follows can be made to read any."""
    other = tmp_path / "other.mov"
    other.write_bytes(files.recording("mov", "libx264"))
    film = files.referring_to(str(other), files.recording("mov", "libx264"))
    follow = {"enable_drefs": "1", "use_absolute_path": "1"}
    with av.open(str(workshop.upload(film)), options=follow) as container:
        assert sum(1 for _ in container.decode(video=0)) == 20

    assert "damaged" in await workshop.refuse(film)


def _mp3_with_cover() -> bytes:
    cover = files.encoded(files.halves(), "JPEG")
    picture = b"\0image/jpeg\0\x03\0" + cover
    frame = b"APIC" + struct.pack(">IH", len(picture), 0) + picture
    size = bytes((len(frame) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + frame + files.recording("mp3", sound="libmp3lame", metadata=False)


def _with_subtitles() -> bytes:
    film, buffer = BytesIO(files.recording("mp4", "libx264")), BytesIO()
    with av.open(film) as source, av.open(buffer, "w", "mp4") as target:
        pictures = target.add_stream_from_template(source.streams.video[0])
        data = target.add_mux_stream("mov_text")
        text = files.SECRET.encode()
        packet = av.Packet(struct.pack(">H", len(text)) + text)
        packet.stream, packet.pts, packet.dts, packet.duration = data, 0, 0, 500
        for other in source.demux(video=0):
            if other.dts is not None:
                other.stream = pictures
                target.mux(other)
        target.mux(packet)
    assert files.SECRET.encode() in buffer.getvalue()
    return buffer.getvalue()


def _webm_with_vorbis_comment() -> bytes:
    sound, buffer = BytesIO(files.recording("webm", sound="vorbis", metadata=False)), BytesIO()
    text = files.SECRET.encode()
    comment = b"\x03vorbis" + struct.pack("<III", 0, 1, len(text)) + text + b"\x01"
    with av.open(sound) as source, av.open(buffer, "w", "webm") as target:
        track = source.streams.audio[0]
        headers = without_comments(track.codec_context.extradata)
        first = headers[1]
        start = headers.index(b"\x01vorbis")
        setup = headers[headers.index(b"\x05vorbis") :]
        out = target.add_stream_from_template(track)
        out.codec_context.extradata = (
            bytes([2, first, len(comment)]) + headers[start : start + first] + comment + setup
        )
        for packet in source.demux(track):
            if packet.dts is not None:
                packet.stream = out
                target.mux(packet)
    return buffer.getvalue()
