"""The emoji of a like, and the words of a report (FEDERATION §5, Like and Flag)."""

from fediblog import text
from fediblog.activitypub.compact import Node
from fediblog.activitypub.reading import tags, words
from fediblog.services.incoming import Reaction

_LONGEST_GIVEN = 300


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
    if text.is_emoji(given):
        return Reaction(given)
    name = tags.shortcode(given)
    picture = next((each.url for each in tags.emojis(activity) if each.shortcode == name), "")
    return Reaction(f":{name}:", picture) if name and picture else None
