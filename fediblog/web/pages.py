"""From one page of a list to the next."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from quart import request

from fediblog import paging
from fediblog.paging import Page

_BOUNDS = ("max_id", "since_id", "min_id", "limit", "done")


class Pages(NamedTuple):
    """The addresses of the neighbours, empty where there is none."""

    newer: str
    older: str
    newer_label: str
    older_label: str


def asked(default: int = 20, most: int = 40) -> Page:
    """The page that the address asks for."""
    return paging.parse(request.args, default, most)


def around(page: Page, cursors: Sequence[int], things: str = "posts") -> Pages:
    """The neighbours of a page that shows these.

    A page that is not full may still have older ones below it: what its reader may not see has been left out.
    """
    path = request.path
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in _BOUNDS]
    newer = older = ""
    if cursors and (page.max_id is not None or page.min_id is not None):
        newer = f"?{urlencode([*kept, ('min_id', cursors[0])])}"
    elif not cursors and page.max_id is not None:
        newer = f"?{urlencode(kept)}" if kept else path
    if len(cursors) * 2 >= page.limit or (cursors and page.upward):
        older = f"?{urlencode([*kept, ('max_id', cursors[-1])])}"
    return Pages(newer, older, f"Newer {things}", f"Older {things}")
