"""What a file is, by its first bytes."""

import pytest

from fediblog.imaging import HEAD, sniff
from tests.imaging import files

pytestmark = pytest.mark.once

_HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"


@pytest.mark.parametrize(
    ("kind", "mime"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        ("AVIF", "image/avif"),
    ],
)
def test_pictures_are_recognised(kind: str, mime: str) -> None:
    assert sniff(files.encoded(files.halves(), kind)[:HEAD]) == mime


@pytest.mark.parametrize(
    ("container", "video", "sound", "mime"),
    [
        ("mp4", "libx264", "aac", "video/mp4"),
        ("mov", "libx264", "aac", "video/quicktime"),
        ("webm", "libvpx", None, "video/webm"),
        ("ipod", None, "aac", "audio/mp4"),
        ("mp3", None, "libmp3lame", "audio/mpeg"),
        ("ogg", None, "libopus", "audio/ogg"),
        ("wav", None, "pcm_s16le", "audio/wav"),
        ("flac", None, "flac", "audio/flac"),
        ("adts", None, "aac", "audio/aac"),
    ],
)
def test_recordings_are_recognised(container: str, video: str | None, sound: str | None, mime: str) -> None:
    assert sniff(files.recording(container, video, sound)[:HEAD]) == mime


def test_an_mp3_without_tags_is_recognised_by_its_frame() -> None:
    data = files.recording("mp3", None, "libmp3lame")
    size = sum(byte << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))

    assert sniff(data[10 + size :][:HEAD]) == "audio/mpeg"


@pytest.mark.parametrize(
    "data",
    [
        *(
            b"",
            b"\0",
            b"\xff",
            b"\xff\xfb",
            b"\xff\xd8",
            b"GIF",
            b"RIFF",
            b"RIFF\0\0\0\0AVI LIST",
            b"\x89PNG",
        ),
        *(
            b'<svg xmlns="http://www.w3.org/2000/svg">',
            b'<?xml version="1.0"?><svg/>',
            _HTML,
            b"\xef\xbb\xbf" + _HTML,
        ),
        *(
            b'{"@context": "https://www.w3.org/ns/activitystreams"}',
            b"[]",
            b"%PDF-1.7",
            b"PK\x03\x04",
            b"\x7fELF",
        ),
        *(
            b"MZ\x90\0",
            b"#!/bin/sh\n",
            b"#EXTM3U\nhttp://127.0.0.1/",
            b"ffconcat version 1.0\n",
            b"BM" + bytes(60),
        ),
        *(
            b"II*\0" + bytes(60),
            b"8BPS",
            b"\0\0\0\x18ftypheic" + bytes(50),
            b"\0\0\0\x18ftypxxxx" + bytes(50),
        ),
        *(
            b"\x1a\x45\xdf\xa3\xa3\x42\x82\x88matroska",
            b"FLV\x01",
            b"wOF2",
            b"\xff\xff\xff\xff" * 16,
            b"\xff\xfe<\0",
        ),
        *(b" GIF89a", b"\xff\xe0" + b"\xff" * 60, b"%!PS-Adobe", b"\xff\xfb\xf0\0" + bytes(60)),
    ],
)
def test_everything_else_is_not(data: bytes) -> None:
    assert sniff(data[:HEAD]) is None
