"""What a file is, by its first bytes. Its name and what the sender says of it do not count."""

HEAD = 64
"""How many bytes from the start `sniff` wants to see."""

_ISO_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    **dict.fromkeys(
        (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"dash", b"M4V ", b"MSNV"),
        "video/mp4",
    ),
}
_EBML = b"\x1a\x45\xdf\xa3"


def sniff(head: bytes) -> str | None:
    """The media type, or None for everything that we do not take: SVG, HTML, JSON, PDF, programs …

    A file can still turn out to be something else when it is read: this is the first gate of two.
    """
    return _picture(head) or _boxes(head) or _sound(head)


def _picture(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    return None


def _boxes(head: bytes) -> str | None:
    """The containers: ISO base media (ISO 14496-12 §4.3) and Matroska, of which we take the WebM kind."""
    if head[4:8] == b"ftyp":
        return _ISO_BRANDS.get(head[8:12])
    # QuickTime files of old cameras have no ftyp box and begin with one of these.
    if head[4:8] in (b"moov", b"mdat", b"wide"):
        return "video/quicktime"
    if head.startswith(_EBML) and b"webm" in head:
        return "video/webm"
    return None


def _sound(head: bytes) -> str | None:
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "audio/wav"
    if head.startswith(b"OggS"):
        return "audio/ogg"
    if head.startswith(b"fLaC"):
        return "audio/flac"
    if head.startswith(b"ID3"):
        return "audio/mpeg"
    return _sound_frame(head)


def _sound_frame(head: bytes) -> str | None:
    """MP3 and ADTS have no magic number, only twelve set bits at the head of each frame: look closer."""
    if len(head) < 7 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        return "audio/aac"
    layer_three = head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08
    possible_rates = head[2] & 0xF0 not in (0x00, 0xF0) and head[2] & 0x0C != 0x0C
    return "audio/mpeg" if layer_three and possible_rates else None
