"""Video and sound: what is in the file, whether browsers play it, and a picture of it.

The packets themselves are moved, not encoded again, into a clean container (`remuxing`): an hour of sound is
done in a second, and nothing is lost. What browsers cannot play is refused with the reason.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from fediblog.errors import Invalid
from fediblog.imaging import previews, remuxing
from fediblog.imaging.lighting import first_visible
from fediblog.imaging.shapes import DAMAGED, TYPES, Job, Limits, Result

Track = TypeVar("Track", VideoStream, AudioStream)


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of container: ffmpeg's name of its reader, and what browsers play in it."""

    reader: str
    sound_mime: str
    sounds: frozenset[str]
    mime: str = ""
    videos: frozenset[str] = frozenset()


_PCM = frozenset({"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_f32le"})
_MP4 = Family(
    "mov",
    "audio/mp4",
    frozenset({"aac", "mp3", "opus", "flac"}),
    "video/mp4",
    frozenset({"h264", "av1", "vp9"}),
)
_WEBM = Family(
    "matroska", "audio/webm", frozenset({"opus", "vorbis"}), "video/webm", frozenset({"vp8", "vp9", "av1"})
)
_FAMILIES = {
    "video/mp4": _MP4,
    "video/quicktime": _MP4,
    "audio/mp4": _MP4,
    "video/webm": _WEBM,
    "audio/mpeg": Family("mp3", "audio/mpeg", frozenset({"mp3"})),
    "audio/aac": Family("aac", "audio/mp4", frozenset({"aac"})),
    "audio/ogg": Family("ogg", "audio/ogg", frozenset({"opus", "vorbis", "flac"})),
    "audio/wav": Family("wav", "audio/wav", _PCM),
    "audio/flac": Family("flac", "audio/flac", frozenset({"flac"})),
}
_DECODERS = "h264,vp8,vp9,libdav1d,aac,mp3,mp3float,opus,vorbis,flac," + ",".join(sorted(_PCM))
_PLAIN_H264 = ("yuv420p", "yuvj420p")
_QUARTERS = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}


def make(job: Job) -> Result:
    """Write the recording, and for a video the small picture of its first visible frame."""
    family = _FAMILIES[job.mime]
    with _opened(job, family) as source:
        video, _ = _tracks(source, family)
        poster = first_visible(_pictures(source, video, job.limits)) if video else None
    mime = family.mime if poster else family.sound_mime
    file = job.file(TYPES[mime])
    # A second look at the file, because decoding has used up the packets at its start.
    with _opened(job, family) as source:
        whole, film = remuxing.move(
            source, [track for track in _tracks(source, family) if track], file, job.limits
        )
    seconds, bitrate = whole.seconds, round(file.stat().st_size * 8 / whole.seconds)
    if poster is None:
        return Result("audio", mime, duration=seconds, bitrate=bitrate)
    return Result("video", mime, *poster.size, seconds, film.rate, bitrate, previews.make(job, poster))


@contextmanager
def _opened(job: Job, family: Family) -> Iterator[InputContainer]:
    """The container, read by the one reader that fits its type: some of ffmpeg's others follow links.

    No protocol is allowed either, so nothing in the file can make us open another file or an address.
    """
    options = {
        "protocol_whitelist": "none",
        "format_whitelist": family.reader,
        "codec_whitelist": _DECODERS,
    }
    with (
        Path(job.source).open("rb") as file,
        # Titles in Latin-1 are common; they are not taken over, so they need not be understood.
        av.open(file, "r", family.reader, options, metadata_errors="replace") as source,
    ):
        yield source


def _tracks(source: InputContainer, family: Family) -> tuple[VideoStream | None, AudioStream | None]:
    """The tracks that go over. Raises Invalid when there is none, or only such as browsers cannot play."""
    films = [track for track in source.streams.video if not track.disposition & Disposition.attached_pic]
    video = _playable(films, family.videos)
    sound = _playable(source.streams.audio, family.sounds)
    broken = video is not None and video.codec_context.pix_fmt is None
    if broken or (video is None and sound is None):
        raise Invalid(DAMAGED)
    if video and _codec(video) == "h264" and video.codec_context.pix_fmt not in _PLAIN_H264:
        raise Invalid("Browsers cannot play this kind of H.264. Please convert it to 8 bits and 4:2:0.")
    return video, sound


def _playable(tracks: Sequence[Track], codecs: frozenset[str]) -> Track | None:
    """The first track in one of the codecs; None when there is no track at all, Invalid for other codecs."""
    for track in tracks:
        if _codec(track) in codecs:
            return track
    if not tracks:
        return None
    name = _codec(tracks[0]).upper() or "a codec"
    raise Invalid(
        f"The file uses {name}, which browsers do not play here. Please convert it to MP4 with H.264 and AAC."
    )


def _codec(track: VideoStream | AudioStream) -> str:
    """The name of the codec. PyAV has no context for a track that ffmpeg knows no decoder for."""
    return track.codec_context.codec.canonical_name if track.codec_context else ""


def _pictures(source: InputContainer, video: VideoStream, limits: Limits) -> Iterator[Image.Image]:
    """The frames, upright. Raises Invalid when they have too many pixels, before the first is decoded."""
    context = video.codec_context
    # One thread: each further one holds frames of its own, and the address space is what we are short of.
    context.thread_count = 1
    _check_size(context.width, context.height, limits)
    for frame in source.decode(video):
        _check_size(frame.width, frame.height, limits)
        yield _upright(frame)


def _upright(frame: VideoFrame) -> Image.Image:
    """The frame as it is shown: phones film in one direction and say in the file how to turn it."""
    image: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
    turn = _QUARTERS.get(frame.rotation % 360)
    return image if turn is None else image.transpose(turn)


def _check_size(width: int, height: int, limits: Limits) -> None:
    if max(width, height) > limits.side or width * height > limits.video_pixels:
        raise Invalid(f"The video is too large: at most {limits.video_pixels / 1e6:.3g} megapixels.")
