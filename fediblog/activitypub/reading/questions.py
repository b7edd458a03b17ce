"""Polls: a Question is a Note with choices (FEDERATION §3)."""

from typing import Any

from fediblog import moments
from fediblog.activitypub.compact import Node
from fediblog.activitypub.reading import dates, words
from fediblog.activitypub.vocabulary import as_list
from fediblog.services.incoming import Question

MOST_OPTIONS = 50


def question(node: Node) -> Question | None:
    """The poll and how it stands; None for a post without choices."""
    name = "anyOf" if node.get("anyOf") else "oneOf"
    options = _options(node.get(name))
    if node.get("type") != "Question" or not options:
        return None
    multiple = name == "anyOf"
    expires_at, closed_at = _end(node)
    return Question(options, multiple, _voters(node, options, multiple), expires_at, closed_at)


def _options(value: Any) -> tuple[tuple[str, int], ...]:
    """Each choice once: nobody could tell votes for twins apart."""
    found: dict[str, int] = {}
    for each in as_list(value):
        title = words.verbatim(each.get("name"), words.MOST_NAME) if isinstance(each, dict) else ""
        if title and len(found) < MOST_OPTIONS:
            found.setdefault(title, _votes(each.get("replies")))
    return tuple(found.items())


def _votes(replies: Any) -> int:
    return words.number(replies.get("totalItems")) if isinstance(replies, dict) else 0


def _voters(node: Node, options: tuple[tuple[str, int], ...], multiple: bool) -> int:
    """How many have voted. Who does not say so has at least as many as the most popular choice."""
    if "votersCount" in node:
        return words.number(node["votersCount"])
    votes = [number for _, number in options]
    return words.number(max(votes) if multiple else sum(votes))


def _end(node: Node) -> tuple[int | None, int | None]:
    """When it ends, and when it has ended. Pleroma writes into `closed` when an open poll will end."""
    ends_at, closed = dates.parsed(node.get("endTime")), node.get("closed")
    closed_at = dates.parsed(closed)
    if closed_at is not None and closed_at == dates.past(closed):
        return ends_at, closed_at
    if words.yes(closed):
        now = moments.now()
        return ends_at, min(ends_at, now) if ends_at else now
    return ends_at or closed_at, None
