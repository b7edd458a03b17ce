"""The emoji of a like, and the words of a report (FEDERATION §5, Like and Flag)."""

import unicodedata

from fediblog import text
from fediblog.activitypub.compact import Node
from fediblog.activitypub.reading import tags, words
from fediblog.services.incoming import Reaction

_LONGEST_GIVEN = 300
_LONGEST = 40
_KEYCAP = "\u20e3"
_PRESENTATION = "\ufe0e\ufe0f" + _KEYCAP  # The only marks on an emoji; others are a heap of accents.


def reaction(activity: Node) -> Reaction:
    """What a Like or an EmojiReact (FEP-c0e0) is made with; empty for a plain like, and for what is no emoji.

    Misskey and its kin send a Like with `content` or `_misskey_reaction`, Pleroma and its kin an EmojiReact.
    """
    for given in (activity.get("content"), activity.get("_misskey_reaction")):
        if isinstance(given, str) and (found := _reaction(text.tidy(given[:_LONGEST_GIVEN]), activity)):
            return found
    return Reaction()


def comment(activity: Node) -> str:
    """What the reporter of a Flag has to say, as plain text."""
    return words.line(activity.get("content") or activity.get("summary"), words.MOST_SUMMARY)


def _reaction(given: str, activity: Node) -> Reaction | None:
    if _is_emoji(given):
        return Reaction(given)
    name = tags.shortcode(given)
    picture = next((each.url for each in tags.emojis(activity) if each.shortcode == name), "")
    return Reaction(f":{name}:", picture) if name and picture else None


def _is_emoji(given: str) -> bool:
    """One character as a reader sees it, that is no letter: a symbol, a flag, a key."""
    if given.isascii() or len(given) > _LONGEST or text.length(given) != 1:
        return False
    categories = {unicodedata.category(each)[0] for each in given if each not in _PRESENTATION}
    return not categories & {"L", "M", "Z"} and (_KEYCAP in given or bool(categories & {"S", "P"}))
