"""Which filters of somebody match a post.

A list must not cost a statement more because there are filters somewhere: whether somebody has some, and in
which version, is asked every few seconds at most, and what is read then stays until they change. Whoever
changes filters says so here, so that this process sees it at once; others do when their seconds are over.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import orjson

from fediblog import db, text
from fediblog.models import Account
from fediblog.remembering import Recent, Shelf


class Context(StrEnum):
    """Where a filter is meant to work."""

    HOME = "home"
    NOTIFICATIONS = "notifications"
    PUBLIC = "public"
    THREAD = "thread"
    ACCOUNT = "account"


class Action(StrEnum):
    """What whoever shows a post is to do with it."""

    WARN = "warn"
    HIDE = "hide"
    BLUR = "blur"


class Keyword(NamedTuple):
    """A word or phrase as it was typed."""

    id: int
    keyword: str
    whole_word: bool


class Marked(NamedTuple):
    """A single post that a filter names."""

    id: int
    post_id: int


class Filter(NamedTuple):
    """A filter with all that it looks for."""

    id: int
    title: str
    contexts: tuple[Context, ...]
    action: Action
    expires_at: int | None
    keywords: tuple[Keyword, ...]
    posts: tuple[Marked, ...]


class Hit(NamedTuple):
    """A filter that matches a post, and by what."""

    filter: Filter
    keywords: list[str]
    post_ids: list[int]


class Writing(NamedTuple):
    """The texts of a post; `content` is HTML that is clean."""

    content: str
    summary: str
    options: Iterable[str]
    descriptions: Iterable[str]


class Words(NamedTuple):
    """The words of a post, folded, and which there are: most keywords are answered by these alone."""

    line: str
    single: frozenset[str]


class Matcher:
    """All filters of somebody, ready to be held against posts."""

    def __init__(self, filters: Iterable[Filter]) -> None:
        self._filters = [
            (found, [(word, _needle(word)) for word in found.keywords], _post_ids(found)) for found in filters
        ]

    def hits(self, words: Words, post_ids: tuple[int, ...], now: int) -> list[Hit]:
        """Those that match the words or one of the ids and have not expired."""
        found: list[Hit] = []
        seen: dict[_Needle, bool] = {}
        for each, needles, marked in self._filters:
            if each.expires_at is not None and each.expires_at <= now:
                continue
            keywords = []
            for word, needle in needles:
                if needle not in seen:
                    seen[needle] = _is_in(needle, words)
                if seen[needle]:
                    keywords.append(word.keyword)
            posts = [number for number in post_ids if number in marked]
            if keywords or posts:
                found.append(Hit(each, keywords, posts))
        return found


async def matcher(viewer: Account | None) -> Matcher | None:
    """The matcher of a viewer, None when there is nothing to match."""
    if viewer is None:
        return None
    state = _states.get(viewer.id)
    if state is None:
        state = await _look(viewer.id)
    if not state[0]:
        return None
    ready = _matchers.get(viewer.id)
    return ready[1] if ready is not None and ready[0] == state else await _compile(viewer.id, state)


async def read(account_id: int, filter_id: int | None = None) -> list[Filter]:
    """The filters of an account, or one of them, the oldest first; expired ones too. One statement."""
    found = await db.rows(_filters_sql(), account_id, filter_id)
    return [_filter(line) for line in found]


def forget(account_id: int) -> None:
    """Somebody's filters have been changed, and the change is on the disk."""
    global _changes
    _changes += 1
    _states.drop(account_id)


def words_of(post_id: int, version: int, writing: Callable[[], Writing]) -> Words:
    """What is matched of one version of a post, folded. Made once: `writing` is asked only for that."""
    found = _words.get((post_id, version))
    if found is None:
        made = writing()
        texts = (made.summary, text.words(made.content), *made.options, *made.descriptions)
        found = words_in("\n".join(texts))
        _words.put((post_id, version), found, _weight(found))
    return found


def words_in(typed: str) -> Words:
    """A text as it is matched."""
    line = folded(typed)
    return Words(line, frozenset(_runs(line)))


def folded(typed: str) -> str:
    """A text without the difference of cases, and with one blank wherever there are some."""
    return " ".join(typed.casefold().split())


# -------------------------------------------------------------------------------------------------- steps

# How many there are, the newest one, and all their versions together, which only rise: with these three
# being as they were, nothing has changed.
State = tuple[int, int, int]

_SECONDS = 3.0
_DAY = 24 * 3600.0
_MEGABYTE = 1024 * 1024
_OVERHEAD = 200
_states: Recent[State] = Recent(10_000)
_matchers: Recent[tuple[State, Matcher]] = Recent(1_000)
_words: Shelf[Words] = Shelf(16 * _MEGABYTE)
_changes = 0


async def _look(account_id: int) -> State:
    before = _changes
    line = await db.row(_STATE, account_id)
    state = (line["number"], line["newest"], line["versions"]) if line else (0, 0, 0)
    # What was read while somebody changed filters may be older than their change.
    if before == _changes:
        _states.put(account_id, state, _SECONDS)
    return state


async def _compile(account_id: int, state: State) -> Matcher:
    before = _changes
    made = Matcher(await read(account_id))
    if before == _changes:
        _matchers.put(account_id, (state, made), _DAY)
    return made


class _Needle(NamedTuple):
    """A folded keyword. Whole words begin and end where it does, or are in it: `runs` are all of them."""

    text: str
    whole_word: bool
    runs: tuple[str, ...] = ()


def _needle(word: Keyword) -> _Needle:
    text = folded(word.keyword)
    return _Needle(text, word.whole_word, tuple(_runs(text)) if word.whole_word else ())


def _is_in(needle: _Needle, words: Words) -> bool:
    """As Mastodon does it: an edge of a whole word counts only where the keyword itself ends in a letter.

    One that is a single word is looked up. Only of phrases all of whose words are there the places are walked
    through: somebody may have a thousand keywords, and strangers write what these are held against.
    """
    if not words.single.issuperset(needle.runs):
        return False
    if needle.runs == (needle.text,):
        return True
    return needle.text in words.line and (not needle.whole_word or _stands_alone(needle.text, words.line))


def _stands_alone(needle: str, line: str) -> bool:
    begins, ends = _is_of_a_word(needle[0]), _is_of_a_word(needle[-1])
    at = line.find(needle)
    while at >= 0:
        end = at + len(needle)
        before, after = line[at - 1 : at] if at else "", line[end : end + 1]
        if not (begins and before and _is_of_a_word(before)) and not (
            ends and after and _is_of_a_word(after)
        ):
            return True
        at = line.find(needle, at + 1)
    return False


def _runs(line: str) -> Iterator[str]:
    """What stands together in it as words: letters, with their marks, and digits."""
    for of_a_word, run in groupby(line, _is_of_a_word):
        if of_a_word:
            yield "".join(run)


@lru_cache(4_096)
def _is_of_a_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM" or unicodedata.category(character) in ("Nd", "Pc")


def _weight(words: Words) -> int:
    return 4 * len(words.line) + 60 * len(words.single) + _OVERHEAD


def _post_ids(found: Filter) -> frozenset[int]:
    return frozenset(each.post_id for each in found.posts)


def _filter(line: db.Row) -> Filter:
    return Filter(
        id=line["id"],
        title=line["title"],
        contexts=tuple(Context(word) for word in orjson.loads(line["contexts"])),
        action=Action(line["action"]),
        expires_at=line["expires_at"],
        keywords=tuple(
            Keyword(each["id"], each["keyword"], bool(each["whole_word"]))
            for each in orjson.loads(line["keywords"] or "[]")
        ),
        posts=tuple(Marked(each["id"], each["post_id"]) for each in orjson.loads(line["posts"] or "[]")),
    )


_STATE = """
SELECT count(*) AS number, COALESCE(max(id), 0) AS newest,
  CAST(COALESCE(sum(version), 0) AS BIGINT) AS versions
FROM filter WHERE account_id = $1
"""


def _filters_sql() -> str:
    sqlite = db.dialect() == "sqlite"
    many, one = ("json_group_array", "json_object") if sqlite else ("json_agg", "json_build_object")
    return f"""
SELECT f.id, f.title, f.contexts, f.action, f.expires_at,
  (SELECT {many}({one}('id', x.id, 'keyword', x.keyword, 'whole_word', x.whole_word)) FROM
    (SELECT * FROM filter_keyword WHERE filter_id = f.id ORDER BY id) x) AS keywords,
  (SELECT {many}({one}('id', x.id, 'post_id', x.post_id)) FROM
    (SELECT * FROM filter_post WHERE filter_id = f.id ORDER BY id) x) AS posts
FROM filter f WHERE f.account_id = $1 AND (CAST($2 AS BIGINT) IS NULL OR f.id = $2) ORDER BY f.id"""
