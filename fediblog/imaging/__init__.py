"""A stranger's file in, safe files out.

`sniff` says what a file is by its content. `make` turns it into what we serve: pictures are decoded and
written anew, animations become silent videos, recordings move into a clean container; each with a small
picture and a blurhash where there is something to see. `make_picture` makes something still of whatever is a
picture, `make_avatar` and `make_header` cut to one size, `make_emoji` fits into a small one.

The work is done by `child`, one process for each file, with limits on memory, time and files, so that the
worst a file can do is to be refused (SECURITY §4). Nothing in this room knows the database, the
configuration or the network.
"""

from fediblog.imaging.running import make, make_avatar, make_emoji, make_header, make_picture
from fediblog.imaging.shapes import TYPES, Limits, Made
from fediblog.imaging.sniffing import HEAD, sniff

__all__ = [
    "HEAD",
    "TYPES",
    "Limits",
    "Made",
    "make",
    "make_avatar",
    "make_emoji",
    "make_header",
    "make_picture",
    "sniff",
]
