"""Parameters of a request, however they come: query, JSON, urlencoded or multipart with Rails brackets.

All three body encodings give the same nested dict; unknown names are ignored by whoever reads it (CLIENT-API
§3.5). `null` counts as not given. Text that is not UTF-8, NUL bytes, and what is nested deeper than anything
we read are refused with 400.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson
from quart import request

from fediblog import moments, paging
from fediblog.api.entities import LEVELS
from fediblog.errors import Invalid, Malformed
from fediblog.models import Quotable, Visibility
from fediblog.services import quotable

_TRUE = {"true", "1", "on", "t", "yes"}
_FALSE = {"false", "0", "off", "f", "no", ""}
_REPLACEMENT = "\ufffd"  # What a lenient decoder leaves where the bytes were no UTF-8.
_MOST_NAMES = 1000
_MOST_VALUES = 20_000
_DEEPEST = 16
_NUMBER = re.compile(r"-?[0-9]{1,19}")
_INDEX = re.compile(r"[0-9]{1,4}")


async def parameters() -> dict[str, Any]:
    """Everything that was sent, the body winning over the query. Raises Malformed for what cannot be read."""
    return nest(_pairs(request.query_string)) | await sent()


async def sent() -> dict[str, Any]:
    """The body alone: secrets do not belong into addresses (RFC 6749 §2.3.1). Raises Malformed."""
    kind = (request.mimetype or "").lower()
    if kind == "multipart/form-data":
        return nest(_readable((await request.form).items(multi=True)))
    if kind == "application/json":
        return _json(await _body())
    if kind in ("application/x-www-form-urlencoded", ""):
        return nest(_pairs(await _body()))
    return {}


def nest(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`a[b][]=1` as nested dicts and lists, as Rails reads it.

    In a list of dicts a new element starts where a name repeats; a dict with
    numbers for names is a list.
    """
    root: dict[str, Any] = {}
    for name, value in pairs:
        path = name.replace("]", "").split("[", _DEEPEST)
        if len(path) > _DEEPEST:
            raise Malformed("That is nested too deeply.")
        _put(root, path, value)
    return {name: _lists(value) for name, value in root.items()}


def switch(value: Any) -> bool | None:
    """A truth value, also as one of the words that apps send. None when it is neither, or not given."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, str | int) else None
    if word in _TRUE:
        return True
    return False if word in _FALSE else None


def boolean(value: Any, default: bool = False) -> bool:
    """The same with a default in the place of None: garbage counts as not given."""
    found = switch(value)
    return default if found is None else found


def asked(name: str) -> bool:
    """Whether a switch in the query is on."""
    return boolean(request.args.get(name))


def number(value: Any) -> int | None:
    """A whole number, also as text; None when it is neither."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    found = int(text) if _NUMBER.fullmatch(text) else None
    return found if found is not None and abs(found) < 1 << 63 else None


def stretch(usual: int, most: int, furthest: int) -> tuple[int, int]:
    """`limit` of the query, and `offset`: after how many others."""
    offset = number(request.args.get("offset")) or 0
    return paging.parse(request.args, usual, most).limit, min(max(offset, 0), furthest)


def ids(value: Any) -> list[int]:
    """Ids from a list, a single value or a map with numbers for names. Raises Invalid for what is no id."""
    items = value if isinstance(value, list) else [] if value in (None, "") else [value]
    found = [number(item) for item in items]
    if None in found:
        raise Invalid("That is not an id.")
    return [item for item in found if item is not None]


def moment(value: Any, field: str) -> int:
    """A moment in ISO 8601, in milliseconds; without a zone it is UTC. Raises Invalid for anything else."""
    try:
        found = datetime.fromisoformat(text(value).strip())
    except ValueError:
        raise Invalid("That is not a date with a time.", field) from None
    return moments.of(found)


def visibility(value: Any) -> Visibility | None:
    """Who sees it, None when not given. Raises Invalid for a word that is none of the four."""
    if value in (None, ""):
        return None
    if not isinstance(value, str) or value not in LEVELS:
        raise Invalid("Validation failed: Visibility is not included in the list", "visibility")
    return LEVELS[value]


def quote_policy(value: Any) -> Quotable | None:
    """Who may quote, None when not given. Raises Invalid for a word that is none of the three."""
    if value in (None, ""):
        return None
    if not isinstance(value, str) or value not in quotable.CHOICES:
        raise Invalid("Choose public, followers or nobody.", "quote_approval_policy")
    return quotable.CHOICES[value]


def text(value: Any) -> str:
    """A text; what is not given is empty. Raises Malformed for lists and maps."""
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        raise Malformed("A text was expected.")
    return str(value)


def mapping(value: Any) -> Mapping[str, Any]:
    """A map; what is not given is empty. Raises Malformed for anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed("A group of values was expected.")
    return value


def texts(value: Any) -> list[str]:
    """A list of texts, also given as a single one."""
    items = value if isinstance(value, list) else [] if value is None else [value]
    return [text(item) for item in items]


def focus(value: Any) -> tuple[float, float] | None:
    """`x,y`, each from -1 to 1. Raises Invalid for anything else."""
    if value in (None, ""):
        return None
    try:
        x, y = (float(part) for part in str(value).split(","))
    except ValueError:
        raise Invalid("The focus must look like 0.5,-0.2.", "focus") from None
    if not (-1 <= x <= 1 and -1 <= y <= 1):
        raise Invalid("The focus lies between -1 and 1.", "focus")
    return x, y


async def _body() -> bytes:
    found = await request.get_data(as_text=False)
    return found if isinstance(found, bytes) else found.encode()


def _json(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    if body.count(b",") > _MOST_VALUES:
        raise Malformed("There are too many parameters.")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Malformed("The body is not valid JSON.") from None
    if not isinstance(found, dict):
        raise Malformed("The body must be a JSON object.")
    return {name: _lists(value) for name, value in found.items() if value is not None}


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_NAMES
        )
    except UnicodeDecodeError:
        raise Malformed("The text is not valid UTF-8.") from None
    except ValueError:
        raise Malformed("There are too many parameters.") from None


def _readable(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What the parser of multipart bodies, which is lenient, could really read."""
    found = [(name or "", value) for name, value in pairs]
    if any(_REPLACEMENT in part for pair in found for part in pair):
        raise Malformed("The text is not valid UTF-8.")
    return found


def _put(into: dict[str, Any], path: list[str], value: str) -> None:
    """Walk down the path, making what is missing; a value in the way is replaced."""
    name, *rest = path
    if not rest:
        into[name] = value
        return
    if rest[0] == "":
        items = into.setdefault(name, [])
        if isinstance(items, list):
            _append(items, rest[1:], value)
        return
    inner = into.get(name)
    if not isinstance(inner, dict):
        inner = into[name] = {}
    _put(inner, rest, value)


def _append(items: list[Any], path: list[str], value: str) -> None:
    if not path:
        items.append(value)
        return
    if not items or not isinstance(items[-1], dict) or path[0] in items[-1]:
        items.append({})
    _put(items[-1], path, value)


def _lists(value: Any, depth: int = 0) -> Any:
    """The tree with lists in the place of dicts whose names are places; refuses what nobody can mean."""
    if depth > _DEEPEST:
        raise Malformed("That is nested too deeply.")
    if isinstance(value, str) and "\0" in value:
        raise Malformed("NUL bytes are not text.")
    if isinstance(value, list):
        return [_lists(item, depth + 1) for item in value]
    if isinstance(value, dict):
        inner = {name: _lists(item, depth + 1) for name, item in value.items()}
        if inner and all(_INDEX.fullmatch(name) for name in inner):
            return [inner[name] for name in sorted(inner, key=int)]
        return inner
    return value
