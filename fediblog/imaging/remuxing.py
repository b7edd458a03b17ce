"""Packets from one container to another, and nothing else.

Titles, places, cover pictures, chapters, subtitles, the data tracks of cameras and whatever hangs behind the
last packet stay behind. Length and number of frames are counted on the way, never taken from the header.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from fediblog.errors import Invalid
from fediblog.imaging.shapes import DAMAGED, Limits
from fediblog.imaging.tags import without_comments

Track = VideoStream | AudioStream

# ffmpeg's names of the writers, by our suffix, where they differ from it.
_WRITERS = {"m4a": "mp4", "weba": "webm"}
_OPTIONS = {"mp4": {"movflags": "faststart"}, "mp3": {"id3v2_version": "0"}}

# Cameras write place and time into these units of the stream itself: SEI in H.264 (ITU-T H.264 §7.4.1), the
# metadata OBU in AV1 (§5.8). No player needs them. ADTS has a header in each packet; MP4 has no use for it.
_FILTERS = {
    "h264": "filter_units=remove_types=6",
    "av1": "filter_units=remove_types=5",
    "aac": "aac_adtstoasc",
}


@dataclass(slots=True)
class Span:
    """What the packets that went by add up to."""

    packets: int = 0
    start: float = float("inf")
    end: float = float("-inf")

    # Quoted, here and below: PyAV's packets are generic only for the type checker.
    def count(self, packet: "Packet[Stream]") -> None:
        """Take a packet into account."""
        moment = packet.pts if packet.pts is not None else packet.dts
        assert moment is not None
        self.start = min(self.start, float(moment * packet.time_base))
        self.end = max(self.end, float((moment + (packet.duration or 0)) * packet.time_base))
        self.packets += 1

    @property
    def seconds(self) -> float:
        """How long it takes to play them; 0 when there are none."""
        return round(max(0.0, self.end - self.start), 3)

    @property
    def rate(self) -> float:
        """Packets a second."""
        return round(self.packets / self.seconds, 3) if self.seconds else 0.0


class _Pipe:
    """One track on its way into the target."""

    def __init__(self, track: Track, target: OutputContainer) -> None:
        codec = track.codec_context.codec.canonical_name
        # Opaque: by its reader's parameters alone. PyAV would look for an encoder of AV1 else, and find none.
        self.out: Track = target.add_stream_from_template(track, opaque=True)
        if codec == "vorbis" and track.codec_context.extradata:
            self.out.codec_context.extradata = without_comments(track.codec_context.extradata)
        rules = _FILTERS.get(codec)
        self.filter = BitStreamFilterContext(rules, track, self.out) if rules else None

    def pass_on(self, packet: "Packet[Stream]") -> Iterator["Packet[Stream]"]:
        """The packet as it goes into the target; several, or none, when the filter wants it so."""
        for passed in self.filter.filter(packet) if self.filter else [packet]:
            passed.stream = self.out
            yield passed


def move(source: InputContainer, tracks: Sequence[Track], file: Path, limits: Limits) -> tuple[Span, Span]:
    """Write the tracks into a new file; its suffix says which container. Returns what all, and what the film
    alone, amounts to.

    Raises Invalid when it turns out to be too long, to have too many frames a second, or to be empty.
    """
    whole, film = Span(), Span()
    writer = _WRITERS.get(file.suffix[1:], file.suffix[1:])
    options = {"fflags": "bitexact", **_OPTIONS.get(writer, {})}
    with av.open(str(file), "w", writer, options) as target:
        pipes = {track.index: _Pipe(track, target) for track in tracks}
        for packet in source.demux(*tracks):
            if packet.dts is None:  # the empty packet at the end of each track
                continue
            whole.count(packet)
            if isinstance(packet.stream, VideoStream):
                film.count(packet)
            if whole.seconds > limits.duration:
                raise Invalid(f"The recording is too long: at most {limits.duration / 60:.3g} minutes.")
            target.mux(list(pipes[packet.stream_index].pass_on(packet)))
    if not whole.seconds:
        raise Invalid(DAMAGED)
    if film.rate > limits.frame_rate:
        raise Invalid(f"The video has too many frames a second: at most {limits.frame_rate:.3g}.")
    return whole, film
