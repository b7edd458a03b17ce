"""What crosses the border between the server and the child: the limits, the job, the answer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MIB = 1024 * 1024

Kind = Literal["image", "gifv", "video", "audio"]
Recipe = Literal["media", "picture", "avatar", "header", "emoji"]

# The suffix that we give to each type that we write. `storage.TYPES` is the same list from the other side.
TYPES = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/webm": "weba",
}

# The child's first words. Who dies before them had no chance to look at the file: that is our fault.
READY = b"ready\n"

UNREADABLE = "File content type is invalid"
DAMAGED = "The file is damaged or incomplete."
TOO_MUCH = "The file is too large to be processed."
TOO_SLOW = "The file takes too long to process."
NOT_NOW = "Files cannot be processed at the moment."


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may ask of us. The defaults are the budgets of SECURITY §4.

    `memory` bounds the address space of the child. Under 512 MiB a JPEG or PNG of 33 megapixels fits; WebP
    and AVIF need more bytes per pixel and end at some 20 megapixels, with a sentence and not with a crash.
    """

    image_bytes: int = 8 * MIB
    pixels: int = 33_000_000
    side: int = 8192
    frames: int = 300
    video_bytes: int = 40 * MIB
    video_pixels: int = 8_847_360  # 4096 x 2160
    frame_rate: float = 120.0
    duration: float = 3600.0
    memory: int = 512 * MIB
    seconds: float = 20.0
    video_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Job:
    """What the child is told. The files it writes are named `<stem>.<suffix>` and `<stem>-small.<suffix>`."""

    recipe: Recipe
    mime: str
    source: str
    stem: str
    limits: Limits

    def file(self, suffix: str) -> Path:
        """Where the main file goes."""
        return Path(f"{self.stem}.{suffix}")

    def small_file(self, suffix: str) -> Path:
        """Where the small picture goes."""
        return Path(f"{self.stem}-small.{suffix}")


@dataclass(frozen=True, slots=True)
class Small:
    """The small picture and the blur that stands in for it."""

    suffix: str
    width: int
    height: int
    blurhash: str


@dataclass(frozen=True, slots=True)
class Result:
    """What the child answers: everything but the paths, which the server knows without being told."""

    kind: Kind
    mime: str
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    frame_rate: float | None = None
    bitrate: int | None = None
    small: Small | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """Safe files, ready for `Storage.save`, and what apps want to know about them.

    `mime` and `suffix` belong to the main file. `small` is a picture, JPEG or (for what is transparent) PNG;
    there is none for audio. `duration` is in seconds, `bitrate` in bits per second, `frame_rate` the average.
    """

    kind: Kind
    mime: str
    file: Path
    suffix: str
    small: Path | None = None
    small_suffix: str | None = None
    width: int | None = None
    height: int | None = None
    small_width: int | None = None
    small_height: int | None = None
    duration: float | None = None
    frame_rate: float | None = None
    bitrate: int | None = None
    blurhash: str | None = None
