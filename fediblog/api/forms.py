"""Parameters of a request, however they come: query, JSON, urlencoded or multipart with Rails brackets.

All three body encodings give the same nested dict; unknown names are ignored by whoever reads it (CLIENT-API
§3.5). `null` counts as not given. Text that is not UTF-8 and NUL bytes are refused with 400.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from quart import request

from fediblog.errors import Invalid, Malformed

_TRUE = {"true", "1", "on", "t", "yes"}
_FALSE = {"false", "0", "off", "f", "no", ""}
_REPLACEMENT = "\ufffd"  # What a lenient decoder leaves where the bytes were no UTF-8.
_MOST_NAMES = 1000


async def parameters() -> dict[str, Any]:
    """Everything that was sent, the body winning over the query. Raises Malformed for what cannot be read."""
    values = nest(_pairs(request.query_string))
    kind = (request.mimetype or "").lower()
    if kind == "multipart/form-data":
        form = await request.form
        return values | nest(_checked(form.items(multi=True)))
    body = await _body()
    if kind == "application/json":
        return values | _json(body)
    if kind in ("application/x-www-form-urlencoded", ""):
        return values | nest(_pairs(body))
    return values


def nest(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`a[b][]=1` as nested dicts and lists, as Rails reads it.

    In a list of dicts a new element starts where a name repeats; a dict with
    numbers for names is a list.
    """
    root: dict[str, Any] = {}
    for name, value in pairs:
        first, *rest = name.replace("]", "").split("[")
        _put(root, [first, *rest], value)
    return {name: _lists(value) for name, value in root.items()}


def boolean(value: Any, default: bool = False) -> bool:
    """A truth value, also as one of the words that apps send. Garbage counts as not given."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if value is not None else None
    if word in _TRUE:
        return True
    return False if word in _FALSE else default


def number(value: Any) -> int | None:
    """A whole number, also as text; None when it is neither."""
    if isinstance(value, bool) or value is None:
        return None
    text = str(value).strip()
    if not text.lstrip("-").isascii() or not text.lstrip("-").isdigit() or len(text) > 19:
        return None
    found = int(text)
    return found if abs(found) < 1 << 63 else None


def ids(value: Any) -> list[int]:
    """Ids from a list, a single value or a map with numbers for names. Raises Invalid for what is no id."""
    items = value if isinstance(value, list) else [] if value in (None, "") else [value]
    found = [number(item) for item in items]
    if None in found:
        raise Invalid("That is not an id.")
    return [item for item in found if item is not None]


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
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Malformed("The body is not valid JSON.") from None
    if not isinstance(found, dict):
        raise Malformed("The body must be a JSON object.")
    if b"\\u0000" in body or b"\x00" in body:
        raise Malformed("NUL bytes are not text.")
    return {name: _lists(value) for name, value in found.items() if value is not None}


def _pairs(body: bytes) -> Iterable[tuple[str, str]]:
    try:
        found = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_NAMES
        )
    except UnicodeDecodeError:
        raise Malformed("The text is not valid UTF-8.") from None
    except ValueError:
        raise Malformed("There are too many parameters.") from None
    return _checked(found)


def _checked(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    found = list(pairs)
    for name, value in found:
        if _REPLACEMENT in value or _REPLACEMENT in name:
            raise Malformed("The text is not valid UTF-8.")
        if "\x00" in value or "\x00" in name:
            raise Malformed("NUL bytes are not text.")
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


def _lists(value: Any) -> Any:
    if isinstance(value, list):
        return [_lists(item) for item in value]
    if isinstance(value, dict):
        inner = {name: _lists(item) for name, item in value.items()}
        if inner and all(name.isdigit() for name in inner):
            return [inner[name] for name in sorted(inner, key=int)]
        return inner
    return value
