"""The files that belong to the pages: styles and icons, served under `/static/<hash of all of them>/…`.

The hash changes with any of them, so what is served under it never does and may be kept for ever; and the
addresses inside the tree, relative ones, stay right.
"""

import hashlib
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from quart import Blueprint, Response, request

from fediblog.errors import NotFound

blueprint = Blueprint("files", __name__)

_TYPES = {
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "txt": "text/plain; charset=utf-8",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_BRIEFLY = "public, max-age=60"


class Tree(NamedTuple):
    """All files by their path, and the hash over them."""

    hash: str
    files: dict[str, bytes]


@lru_cache(1)
def tree() -> Tree:
    """The files, read once."""
    found = {
        entry.name: entry.read_bytes()
        for entry in sorted(_folder().iterdir(), key=lambda entry: entry.name)
        if entry.name.rpartition(".")[2] in _TYPES
    }
    digest = hashlib.sha256()
    for name, content in found.items():
        digest.update(name.encode() + b"\0" + content + b"\0")
    return Tree(digest.hexdigest()[:16], found)


def address(name: str) -> str:
    """Where a file is. Raises KeyError for one that does not exist: a fault of ours."""
    assert tree().files[name] is not None
    return f"/static/{tree().hash}/{name}"


@blueprint.get("/static/<version>/<name>")
async def static(version: str, name: str) -> Response:
    """A file. Pages of another version of ours may still ask by its hash: they get today's, for a minute."""
    content = tree().files.get(name)
    if content is None:
        raise NotFound
    response = Response(content, content_type=_TYPES[name.rpartition(".")[2]])
    response.headers["Cache-Control"] = _FOR_EVER if version == tree().hash else _BRIEFLY
    response.set_etag(f"{tree().hash}-{name}")
    await response.make_conditional(request)
    return response


@blueprint.get("/avatars/original/missing.png")
@blueprint.get("/headers/original/missing.png")
async def missing() -> Response:
    """The picture of those who have none: apps crash without one."""
    name = "missing-avatar.png" if request.path.startswith("/avatars") else "missing-header.png"
    response = Response(tree().files[name], content_type=_TYPES["png"])
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response


def _folder() -> Traversable:
    return files("fediblog.web") / "static"
