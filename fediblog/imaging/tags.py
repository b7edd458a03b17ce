"""The comments inside Vorbis' own headers, which a container carries along without reading them."""

from fediblog.errors import Invalid
from fediblog.imaging.shapes import DAMAGED

# Packet type, name, a vendor and a list of comments of no length, the framing bit (Vorbis I §5.2.1).
_NO_COMMENTS = b"\x03vorbis" + bytes(8) + b"\x01"


def without_comments(headers: bytes) -> bytes:
    """The three headers of a Vorbis stream, laced as Matroska does it, with the second one emptied.

    Matroska's codec mapping: one byte for the number of packets less one, then the sizes of all but the last,
    each as a run of 255s and a rest. Raises Invalid when they are not laid out like that.
    """
    if headers[:1] != b"\x02":
        raise Invalid(DAMAGED)
    first, position = _size(headers, 1)
    second, position = _size(headers, position)
    identification = headers[position : position + first]
    setup = headers[position + first + second :]
    return b"\x02" + _laced(first) + _laced(len(_NO_COMMENTS)) + identification + _NO_COMMENTS + setup


def _size(headers: bytes, position: int) -> tuple[int, int]:
    """A size and where it ends."""
    size = 0
    while headers[position : position + 1] == b"\xff":
        size, position = size + 255, position + 1
    if position >= len(headers):
        raise Invalid(DAMAGED)
    return size + headers[position], position + 1


def _laced(size: int) -> bytes:
    return b"\xff" * (size // 255) + bytes([size % 255])
