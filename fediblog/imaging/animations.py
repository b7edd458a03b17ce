"""Moving pictures without sound: GIF, and the animated kinds of PNG, WebP and AVIF, become H.264 in MP4.

A video is a tenth of the size of a GIF, and every browser and app plays this one. The encoder is x264, which
PyAV's own build contains.
"""

from collections.abc import Iterator
from fractions import Fraction

import av
from av.codec.context import Flags
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from fediblog.errors import Invalid
from fediblog.imaging import previews
from fediblog.imaging.colours import flat
from fediblog.imaging.headers import check_size, opened
from fediblog.imaging.lighting import first_visible
from fediblog.imaging.shapes import DAMAGED, Job, Result

# What can be decoded, drawn and encoded within the time for a picture: 300 frames of 1280 x 720, say.
ALL_PIXELS = 300_000_000
_SIDE, _AREA = 1280, 1280 * 720
_MILLISECOND = Fraction(1, 1000)
_BT709 = 1


def make(job: Job) -> Result:
    """Write the video and the small picture of its first visible frame."""
    with opened(job) as image:
        count = getattr(image, "n_frames", 1)
        if image.width * image.height * count > ALL_PIXELS:
            raise Invalid("The animation is too large: fewer or smaller frames, please.")
        width, height = previews.fitting(image.size, _SIDE, _AREA)
        size = (max(2, width & ~1), max(2, height & ~1))  # 4:2:0 has one colour for two pixels each way
        milliseconds = _encode(job, size, _frames(image, job))
        small = previews.make(job, first_visible(flat(image) for _ in _walk(image, job)))
    seconds = milliseconds / 1000
    bits = job.file("mp4").stat().st_size * 8
    rate = round(count / seconds, 3)
    return Result("gifv", "video/mp4", *size, seconds, rate, round(bits / seconds), small)


def _walk(image: Image.Image, job: Job) -> Iterator[int]:
    """Go to each frame in turn; yields how many milliseconds it stays."""
    for index in range(job.limits.frames + 1):
        try:
            image.seek(index)
        except EOFError:
            return
        if index == job.limits.frames:
            raise Invalid(f"The animation has too many frames: at most {job.limits.frames}.")
        check_size(image.size, job.limits)
        image.load()
        yield _stay(image.info.get("duration", 0))


def _stay(duration: object) -> int:
    """Frames that stay 10 ms or less get 100, as in every browser; none stays longer than a minute."""
    milliseconds = int(duration) if isinstance(duration, int | float) else 0
    return min(milliseconds, 60_000) if milliseconds > 10 else 100


def _frames(image: Image.Image, job: Job) -> Iterator[tuple[Image.Image, int]]:
    for milliseconds in _walk(image, job):
        yield flat(image), milliseconds


def _encode(job: Job, size: tuple[int, int], frames: Iterator[tuple[Image.Image, int]]) -> int:
    """Write the frames; returns how many milliseconds they last together."""
    moment = 0
    options = {"movflags": "faststart", "fflags": "bitexact"}
    with av.open(str(job.file("mp4")), "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "20"})
        _set_up(stream, size)
        for picture, milliseconds in frames:
            container.mux(stream.encode(_frame(picture, size, moment, milliseconds)))
            moment += milliseconds
        container.mux(stream.encode(None))
    if not moment:
        raise Invalid(DAMAGED)
    return moment


def _set_up(stream: VideoStream, size: tuple[int, int]) -> None:
    context = stream.codec_context
    context.width, context.height = size
    context.pix_fmt = "yuv420p"
    context.time_base = _MILLISECOND
    context.thread_count = 2
    context.colorspace = context.color_primaries = context.color_trc = _BT709
    context.flags |= Flags.frame_duration  # else the last frame is shown for as long as the rate says


def _frame(picture: Image.Image, size: tuple[int, int], moment: int, milliseconds: int) -> VideoFrame:
    picture = picture.resize(size, Image.Resampling.BICUBIC)
    frame: VideoFrame = VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
    frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
    frame.pts, frame.time_base, frame.duration = moment, _MILLISECOND, milliseconds
    return frame
