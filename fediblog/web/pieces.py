"""The small pieces of HTML that stand on pages by the hundred. As functions they cost a tenth of a macro.

Every value is escaped by `Markup.format`; the texts around them are constants of ours.
"""

from functools import lru_cache

from markupsafe import Markup

from fediblog import moments
from fediblog.web import files, words
from fediblog.web.faces import Face

_ICON = Markup('<svg class="icon{}" aria-hidden="true"><use href="{}#{}"/></svg>')
_PICTURE = Markup(
    '<img class="avatar{}" src="{}" alt="" width="48" height="48" loading="lazy" decoding="async">'
)
_TILE = Markup('<span class="avatar tile t{}{}" aria-hidden="true">{}</span>')
_HIDDEN = Markup('<input type="hidden" name="{}" value="{}">')
_TIME = Markup('<time class="{}" datetime="{}" title="{}">{}</time>')


@lru_cache(512)
def icon(name: str, more: str = "") -> Markup:
    """An icon of the sprite, with further classes."""
    return _ICON.format(f" {more}" if more else "", files.address("icons.svg"), name)


@lru_cache(4096)
def avatar(face: Face, size: str = "") -> Markup:
    """Somebody's picture, or a tile with a letter."""
    classes = f" {size}" if size else ""
    if face.avatar:
        return _PICTURE.format(classes, face.avatar)
    return _TILE.format(words.hue(face.id), classes, words.initial(face.name))


def hidden(csrf: str, back: str = "") -> Markup:
    """The fields that every form has: its token, and where to go on afterwards."""
    token = _HIDDEN.format("csrf", csrf)
    return token + _HIDDEN.format("return_to", back) if back else token


def when(moment: int, now: int, kind: str = "dt-published") -> Markup:
    """How long ago, with the exact moment for those who ask."""
    return _when(moment, words.ago(moment, now), kind)


@lru_cache(8192)
def _when(moment: int, said: str, kind: str) -> Markup:
    return _TIME.format(kind, moments.iso(moment), words.exact(moment), said)
