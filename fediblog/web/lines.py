"""Lines: the posts of a list as the templates show them, each with all it takes and nothing to be asked for.

The text and the files of a post are rendered once for each version and kept; what changes without one, the
counters, the reader's marks, the poll and what is quoted, is put around it. A list costs two statements more
than its entries at most and one for what they quote, and none when everything in it is known.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from markupsafe import Markup

from fediblog import moments, text, uris
from fediblog.errors import NotFound
from fediblog.models import Account, Consent, Visibility
from fediblog.remembering import Shelf
from fediblog.services import matching, posts, quotable, views
from fediblog.services.matching import Action, Context, Matcher, Writing
from fediblog.services.quotable import Answer
from fediblog.services.views import Ballot, Body, Card, Entry, PollView, Quoting, Standing
from fediblog.web import faces, templating, words
from fediblog.web.faces import Face

# What a body and its place on the shelf weigh beside the texts.
_OVERHEAD = 2_000
_MEGABYTE = 1024 * 1024


class Text(NamedTuple):
    """A post without what changes: its body, and the text and files of it as HTML.

    `bare` is the same without the link that stands for a quote where none is shown.
    """

    body: Body
    html: Markup
    bare: Markup


class Choice(NamedTuple):
    """An option of a poll. `votes` is None while nobody may know."""

    position: int
    title: str
    votes: int | None
    percent: int
    chosen: bool


class Question(NamedTuple):
    """A poll as it stands for the one who looks."""

    choices: list[Choice]
    multiple: bool
    hidden: bool
    votes: int
    voters: int
    over: bool
    ends_in: int | None
    open: bool  # The reader may vote.


class Quote(NamedTuple):
    """What a post quotes: its line, or in words why there is none; with both, one may look all the same."""

    line: "Line | None"
    why: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One post in a list. When somebody passed it on, `booster` is who, the first of so many."""

    anchor: str
    entry: Entry
    author: Face
    booster: Face | None
    boosters: int
    body: Body
    html: Markup
    href: str
    question: Question | None
    own: bool
    boostable: bool
    answers: str  # Whom it answers, by handle, as far as that is known.
    pinned: bool = False  # It stands at the top because of that.
    depth: int = 0
    tied: bool = False  # Drawn together with the line above it.
    ties: bool = False  # And with the one below.
    fold: str = ""  # The titles of the reader's filters that match it: it is shown when asked for.
    hidden: bool = False  # By one of these. Only `by_post` gives such lines.
    quotable: bool = False  # The reader may quote it, or ask to.
    quote: Quote | None = None
    article: Markup | None = None  # All of it as HTML, where it is the same for every visitor.


_DELETED = "The quoted post has been deleted."
_WITHOUT_CONSENT = {
    Consent.PENDING: "Its author has not agreed yet to be quoted here.",
    Consent.REJECTED: "The author of the quoted post does not want it to be shown here.",
    Consent.REVOKED: "The author of the quoted post does not want it to be shown here any more.",
}
_WHY_NOT = {
    Standing.CLEAR: "",
    Standing.UNSEEN: "The quoted post is not for you to see.",
    Standing.BLOCKED: "You have blocked the author of the quoted post.",
    Standing.DOMAIN: "You have hidden the server of the quoted post.",
    Standing.MUTED: "You have muted the author of the quoted post.",
}

_texts: Shelf[Text] = Shelf(48 * _MEGABYTE)
_faces: Shelf[Face] = Shelf(8 * _MEGABYTE)
_articles: Shelf[Markup] = Shelf(24 * _MEGABYTE)


async def lines(entries: Sequence[Entry], viewer: Account | None, place: Context | None = None) -> list[Line]:
    """The lines for entries, in their order. What was deleted after the entries were read is left out.

    So is what the viewer's filters for this place hide.
    """
    return [line for line in await _lines(entries, viewer, place) if not line.hidden]


async def _lines(entries: Sequence[Entry], viewer: Account | None, place: Context | None) -> list[Line]:
    quoted = await _quoted(entries, viewer)
    everything = {entry.id: entry for entry in (*quoted, *entries)}
    texts, people = await _read_texts(everything.values()), await _read_faces(everything.values())
    now = moments.now()
    found = {
        entry.id: _line(entry, texts[entry.post_id], people, viewer, now)
        for entry in everything.values()
        if entry.post_id in texts and {entry.author_id, entry.post_author_id} <= people.keys()
    }
    if viewer is not None and place is not None and found:
        matcher = await matching.matcher(viewer)
        if matcher is not None:
            found = {number: _filtered(line, matcher, place, now) for number, line in found.items()}
    made = [_quoting(found[entry.id], found) for entry in entries if entry.id in found]
    return made if viewer is not None else [_for_everybody(line, now) for line in made]


async def _quoted(entries: Sequence[Entry], viewer: Account | None) -> list[Entry]:
    """What the entries quote, as far as the viewer may see it."""
    wanted = {entry.quoting.shown_id for entry in entries if entry.quoting} - {None}
    return list((await posts.entries(sorted(filter(None, wanted)), viewer)).values()) if wanted else []


def _quoting(line: Line, found: Mapping[int, Line]) -> Line:
    """The line with what it quotes in it: one level deep."""
    quoting = line.entry.quoting
    if quoting is None:
        return line
    inner = found.get(quoting.shown_id or 0)
    why = _why_not(quoting)
    return replace(line, quote=Quote(inner, why or ("" if inner else _WHY_NOT[Standing.UNSEEN])))


def _why_not(quoting: Quoting) -> str:
    if quoting.state is not Consent.ACCEPTED:
        return _WITHOUT_CONSENT[quoting.state]
    return _DELETED if quoting.post_id is None else _WHY_NOT[quoting.standing]


def together(found: Sequence[Line]) -> list[Line]:
    """Each post once, where it comes first, with all those on the page who passed it on."""
    first: dict[int, Line] = {}
    for line in found:
        known = first.get(line.entry.post_id)
        first[line.entry.post_id] = replace(known, boosters=known.boosters + line.boosters) if known else line
    return list(first.values())


async def by_post(
    post_ids: Collection[int], viewer: Account | None, place: Context | None = None
) -> dict[int, Line]:
    """Lines of single posts that the viewer may see, by id of the post; also those that filters hide."""
    entries = await views.entries(list(post_ids), viewer)
    return {line.entry.post_id: line for line in await _lines(list(entries.values()), viewer, place)}


async def of(post_id: int, viewer: Account | None) -> Line:
    """The line of one post. Raises NotFound when it was deleted a moment ago."""
    found = (await by_post([post_id], viewer)).get(post_id)
    if found is None:
        raise NotFound
    return found


async def _read_texts(entries: Collection[Entry]) -> dict[int, Text]:
    wanted = {(entry.post_id, entry.post_version) for entry in entries}
    found = _texts.find(wanted)
    for body in (await views.bodies(number for number, _ in wanted if number not in found)).values():
        made = found[body.id] = _text(body)
        weight = len(made.html) + len(made.bare) + len(body.content) + _OVERHEAD
        _texts.put((body.id, body.version), made, weight)
    return found


def _text(body: Body) -> Text:
    """With a link to what is quoted, wherever that comes from, and without."""
    linked = body.content + (text.reference(body.quote_url) if body.quote_url else "")
    bare = text.without_reference(body.content)
    without = Markup(_text_of()(replace(body, content=bare)))  # noqa: S704 - a template has escaped it
    if linked == bare:
        return Text(body, without, without)
    whole = Markup(_text_of()(replace(body, content=linked)))  # noqa: S704 - the same
    return Text(body, whole, without)


async def _read_faces(entries: Collection[Entry]) -> dict[int, Face]:
    wanted = {(entry.author_id, entry.author_version) for entry in entries}
    wanted |= {(entry.post_author_id, entry.post_author_version) for entry in entries}
    found = _faces.find(wanted)
    for card in (await views.cards(number for number, _ in wanted if number not in found)).values():
        found[card.id] = _remember(card)
    return found


def _remember(card: Card) -> Face:
    face = faces.face_of(card)
    _faces.put((card.id, card.version), face, sum(map(len, face[1:])) + _OVERHEAD)
    return face


class _Nobody(NamedTuple):
    """As much of a page's surroundings as a post for visitors asks for."""

    now: int
    me: None = None
    here: str = ""


def _for_everybody(line: Line, now: int) -> Line:
    """The line with its article, which stays the same until a counter changes or a minute has gone by.

    A poll goes on by itself, so one with a poll is made each time.
    """
    if line.question is not None:
        return line
    entry = line.entry
    versions = (entry.version, entry.author_version, entry.post_version, entry.post_author_version)
    key = (
        entry.id,
        _quote_key(line.quote, now),
        *versions,
        entry.likes,
        entry.boosts,
        entry.replies,
        entry.quotes,
        words.ago(line.body.created_at, now),
    )
    article = _articles.get(key)
    if article is None:
        post = templating.macro("post/post.html", "post")
        article = Markup(post(line, _Nobody(now)))  # noqa: S704 - a template has escaped it
        _articles.put(key, article, len(article) + _OVERHEAD)
    return replace(line, article=article)


def _quote_key(quote: Quote | None, now: int) -> Hashable:
    if quote is None or quote.line is None:
        return quote
    entry = quote.line.entry
    versions = (entry.id, entry.post_version, entry.post_author_version, entry.quoting)
    return quote.why, versions, words.ago(quote.line.body.created_at, now)


def _text_of() -> templating.Macro:
    return templating.macro("post/text.html", "text")


def _line(entry: Entry, made: Text, people: dict[int, Face], viewer: Account | None, now: int) -> Line:
    author, body = people[entry.post_author_id], made.body
    own = viewer is not None and viewer.id == entry.post_author_id
    return Line(
        anchor=f"p{entry.id}",
        entry=entry,
        author=author,
        booster=people[entry.author_id] if entry.is_boost else None,
        boosters=int(entry.is_boost),
        body=body,
        html=made.bare if _is_settled(entry.quoting) else made.html,
        href=uris.post_path(*_name_and(author, entry.post_id)),
        question=question(body.poll, entry.ballot, viewer, own, now),
        own=own,
        boostable=body.visibility <= Visibility.UNLISTED or (own and body.visibility == Visibility.FOLLOWERS),
        answers=_answered(body, author),
        quotable=viewer is not None and _may_quote(entry, body, own),
    )


def _is_settled(quoting: Quoting | None) -> bool:
    """Whether it is known what to show for a quote; before, it is a link as any other."""
    return quoting is not None and quoting.state is not Consent.PENDING


def _may_quote(entry: Entry, body: Body, own: bool) -> bool:
    own = own and body.visibility != Visibility.DIRECT
    answer = quotable.answer(entry.quotable, own, entry.follows)
    return answer in (Answer.AUTOMATIC, Answer.MANUAL)


def _filtered(line: Line, matcher: Matcher, place: Context, now: int) -> Line:
    """The line as the reader's filters want it; one's own posts are as they are."""
    if line.own:
        return line
    entry = line.entry
    words = matching.words_of(entry.post_id, entry.post_version, lambda: _writing(line.body))
    hits = matcher.hits(words, tuple({entry.id, entry.post_id}), now)
    found = [hit.filter for hit in hits if place in hit.filter.contexts]
    hidden = any(each.action is Action.HIDE for each in found)
    return replace(line, fold=", ".join(each.title for each in found), hidden=hidden) if found else line


def _writing(body: Body) -> Writing:
    options = body.poll.options if body.poll else ()
    return Writing(body.content, body.summary, options, (file.description for file in body.media))


def _name_and(author: Face, post_id: int) -> tuple[str, int, str]:
    username, _, domain = author.handle.partition("@")
    return username, post_id, domain


def _answered(body: Body, author: Face) -> str:
    if body.reply_to_author_id == body.author_id:
        return author.handle
    for mention in body.mentions:
        if mention.id == body.reply_to_author_id:
            return f"{mention.username}@{mention.domain}" if mention.domain else mention.username
    return ""


def question(
    poll: PollView | None, ballot: Ballot | None, viewer: Account | None, own: bool, now: int
) -> Question | None:
    """A poll as it stands for this viewer, None where there is none."""
    if poll is None or ballot is None:
        return None
    over = ballot.closed or (poll.expires_at is not None and poll.expires_at <= now)
    hidden = poll.hide_totals and not over
    votes = sum(ballot.votes)
    return Question(
        choices=_choices(poll, ballot, hidden, ballot.voters if poll.multiple else votes),
        multiple=poll.multiple,
        hidden=hidden,
        votes=votes,
        voters=ballot.voters,
        over=over,
        ends_in=poll.expires_at - now if poll.expires_at and not over else None,
        open=viewer is not None and not own and not over and ballot.choices is None,
    )


def _choices(poll: PollView, ballot: Ballot, hidden: bool, whole: int) -> list[Choice]:
    return [
        Choice(
            position,
            title,
            None if hidden else votes,
            0 if hidden or not whole else round(100 * votes / whole),
            position in (ballot.choices or ()),
        )
        for position, (title, votes) in enumerate(zip(poll.options, ballot.votes, strict=False))
    ]
