"""The templates. They are rendered without the loop: nothing in them can wait, so nothing in them can ask the
database (PERFORMANCE, "How to get there", 7).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from fediblog import moments, text, uris
from fediblog.web import emoji, files, pieces, words

Macro = Callable[..., str]


@lru_cache(1)
def environment() -> Environment:
    """All templates with their filters. Everything is escaped; what is left out is an error."""
    made = Environment(
        loader=PackageLoader("fediblog.web"),
        autoescape=select_autoescape(("html", "xml")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "exact": words.exact,
        "date": words.date,
        "span": words.span,
        "plural": words.plural,
        "short": words.short,
        "focus": words.focus,
        "iso": moments.iso,
        "rfc822": words.rfc822,
        "day_start": moments.day_start,
        "excerpt": text.excerpt,
        "media": uris.media_path,
        "prose": emoji.prose,
        "named": emoji.named,
        "absolute": uris.absolute,
    }
    made.globals |= {
        "static": files.address,
        "icon": pieces.icon,
        "avatar": pieces.avatar,
        "hidden": pieces.hidden,
        "when": pieces.when,
    }
    return made


def render(template: str, **values: Any) -> str:
    """A template with these values as text."""
    return environment().get_template(template).render(**values)


def macro(template: str, name: str) -> Macro:
    """A macro of a template, to be called from Python."""
    return cast(Macro, getattr(environment().get_template(template).module, name))
