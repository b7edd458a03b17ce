"""Posts in every shape that JSON-LD and other servers allow, and what is not taken for one."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from fediblog import moments
from fediblog.activitypub import compact, reading
from fediblog.activitypub.reading import dates
from fediblog.activitypub.vocabulary import PUBLIC
from fediblog.config import Config
from fediblog.errors import Malformed
from fediblog.models import Quotable, Visibility
from fediblog.services.incoming import IncomingPost
from tests.activitypub.noting import BASE, EVE, MARCH, NOTE, OTHER, node, post, titled

pytestmark = pytest.mark.once

AS2 = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'


@pytest.fixture(autouse=True)
def _home(configure: Callable[..., Config]) -> None:
    configure(domain="here.example", base_url="https://here.example")


# ----------------------------------------------------------------------------------------------- refusals

# fmt: off
REFUSED: dict[str, dict[str, Any]] = {
    "an actor": {"type": "Person"},
    "a like": {"type": "Like", "actor": EVE},
    "a tombstone": {"type": "Tombstone"},
    "an unknown type": {"type": "Bite"},
    "no type": {"type": ...},
    "no id": {"id": ...},
    "an id that is no address": {"id": "tag:remote.example,2026:1"},
    "an id with a user in it": {"id": "https://eve@remote.example/notes/1"},
    "an endless id": {"id": f"{BASE}/{'x' * 3_000}"},
    "no author": {"attributedTo": ...},
    "two authors": {"attributedTo": [EVE, f"{BASE}/users/mallory"]},
    "an author elsewhere": {"attributedTo": "https://other.example/users/eve"},
    "an author on another port": {"attributedTo": "https://remote.example:8443/users/eve"},
    "an author without TLS": {"attributedTo": "http://remote.example/users/eve"},
    "an author that is no address": {"attributedTo": "eve"},
    "a vote elsewhere's": {"name": "Tea", "content": ..., "inReplyTo": OTHER,
                           "attributedTo": "https://other.example/users/eve"},
}
# fmt: on


@pytest.mark.parametrize("case", REFUSED)
def test_what_nothing_can_be_made_of_is_malformed(case: str):
    with pytest.raises(Malformed):
        reading.post(node(**REFUSED[case]))


# ---------------------------------------------------------------------------------------------- the text

# fmt: off
CONTENTS: list[tuple[dict[str, Any], str]] = [
    ({"content": ...}, ""),
    ({"content": "plain & simple"}, "plain &amp; simple"),
    ({"content": "<script>x</script><p onclick=x>a<img src=x></p>"}, "<p>a</p>"),
    ({"content": ..., "contentMap": {"en": "<p>Hello</p>", "de": "<p>Hallo</p>"}}, "<p>Hello</p>"),
    ({"content": {"@value": "<p>v</p>", "@language": "en"}}, "<p>v</p>"),
    ({"content": "a\n\nb <b>c</b>", "mediaType": "text/plain"}, "<p>a</p><p>b &lt;b&gt;c&lt;/b&gt;</p>"),
    ({"content": "*a*", "mediaType": "text/markdown; charset=utf-8"}, "<p>*a*</p>"),
    ({"content": "$[x a]", "mediaType": "text/x.misskeymarkdown"}, "<p>$[x a]</p>"),
    ({"content": "<p>a</p>", "mediaType": "text/html"}, "<p>a</p>"),
    ({"content": "<p>a</p>", "mediaType": 5}, "<p>a</p>"),
    ({"content": ..., "source": {"content": "**m**", "mediaType": "text/x.misskeymarkdown"}}, "<p>**m**</p>"),
    ({"content": "", "_misskey_content": "a\nb"}, "<p>a<br>b</p>"),
    ({"content": ..., "source": {"content": "<p>s</p>", "mediaType": "text/html"}}, "<p>s</p>"),
    ({"content": "<p>x</p>", "source": "raw"}, "<p>x</p>"),
    ({"name": "Title"}, "<p><strong>Title</strong></p><p>Hi</p>"),
    ({"name": "Hi"}, "<p>Hi</p>"),
    ({"name": "A <b>bold</b> &amp; brave one"}, "<p><strong>A bold &amp; brave one</strong></p><p>Hi</p>"),
    ({"content": '<a href="javascript:x">a</a>'}, "a"),
]
# fmt: on


@pytest.mark.parametrize(("more", "content"), CONTENTS)
def test_the_text_is_found_and_cleaned(more: dict[str, Any], content: str):
    assert post(**more).content == content


@pytest.mark.parametrize("kind", ["Article", "Page", "Event", "Video", "Audio", "Image"])
def test_other_types_show_their_title_as_a_link_and_then_their_text(kind: str):
    page = f"{BASE}/@eve/t"
    assert post(type=kind, name="T", url=page).content == titled(page) + "<p>Hi</p>"
    bare = post(type=kind, name="T", url=page, content=..., summary="In short")
    assert (bare.content, bare.summary) == (titled(page) + "<p>In short</p>", "")
    assert post(type=kind, name="T", content=...).content == titled(NOTE)
    untitled = post(type=kind, content=..., url=page).content
    assert page in untitled


def test_only_the_summary_of_a_note_and_of_what_is_sensitive_is_a_warning():
    assert post(summary="cw").summary == "cw"
    assert post(type="Question", summary="cw", oneOf=[{"name": "a"}]).summary == "cw"
    assert post(type="Article", name="T", summary="teaser").summary == ""
    assert post(type="Video", name="T", summary="blood", sensitive=True).summary == "blood"
    assert post(type="Article", name="T", summary="s", sensitive=True, content=...).summary == ""


# fmt: off
SUMMARIES: list[tuple[Any, str]] = [
    (None, ""), ("", ""), ("  ", ""), ("\u200b", ""), (5, ""), ("a\nb", "a b"), ("<p>a</p><p>b</p>", "a b"),
    ("a &amp; b &lt;3", "a & b <3"), ("I <3 it", "I <3 it"), ("\u202eevil", "evil"),
     ("x" * 9_000, "x" * 2_000),
    ({"@value": "v"}, "v"),
]
# fmt: on


@pytest.mark.parametrize(("summary", "expected"), SUMMARIES)
def test_warnings_are_plain_text_of_one_line(summary: Any, expected: str):
    assert post(summary=summary).summary == expected


def test_the_raw_html_is_kept_only_where_cleaning_has_changed_it():
    assert post(content="<p>Hi</p>").source == ""
    assert post(content="<p onclick=x>Hi</p>").source == "<p onclick=x>Hi</p>"


def test_long_texts_are_cut_and_not_refused():
    found = post(content="<p>" + "x" * 400_000)
    assert len(found.content) == 100_000 + len("<p></p>")


# fmt: off
LANGUAGES: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"contentMap": {"en": "<p>Hi</p>"}}, "en"),
    ({"contentMap": {"de": "<p>Tag</p>", "en": "<p>Hi</p>"}}, "en"),
    ({"contentMap": {"de": "<p>Tag</p>"}}, "de"),
    ({"contentMap": {"de": "<p>Tag</p>", "fr": "<p>Salut</p>"}}, ""),
    ({"content": ..., "contentMap": {"de": "<p>Tag</p>", "fr": "<p>Salut</p>"}}, "de"),
    ({"contentMap": {"pt_BR": "<p>Hi</p>"}}, "pt-BR"),
    ({"contentMap": {"EN": "<p>Hi</p>"}}, "en"),
    ({"contentMap": {"und": "<p>Hi</p>"}}, ""),
    ({"contentMap": {"not a language": "<p>Hi</p>"}}, ""),
    ({"contentMap": {"e" * 5_000: "<p>Hi</p>"}}, ""),
    ({"contentMap": {"en": ["<p>Hi</p>", "x"]}}, "en"),
    ({"contentMap": 5}, ""),
    ({"content": {"@value": "<p>Hi</p>", "@language": "cy"}}, "cy"),
    ({"language": {"identifier": "fr", "name": "Français"}}, "fr"),
    ({"language": "fr"}, ""),
    ({"inLanguage": "nl"}, "nl"),
]
# fmt: on


@pytest.mark.parametrize(("more", "language"), LANGUAGES)
def test_the_language_is_the_one_of_the_text(more: dict[str, Any], language: str):
    assert post(**more).language == language


# ----------------------------------------------------------------------------------- for whom, when, where

# fmt: off
AUDIENCES: list[tuple[dict[str, Any], Visibility]] = [
    ({"to": "as:Public"}, Visibility.PUBLIC),
    ({"to": ["Public", EVE]}, Visibility.PUBLIC),
    ({"to": f"{EVE}/followers", "cc": PUBLIC}, Visibility.UNLISTED),
    ({"to": [f"{EVE}/followers"]}, Visibility.FOLLOWERS),
    ({"to": [], "cc": [f"{EVE}/followers"]}, Visibility.FOLLOWERS),
    ({"to": [f"{BASE}/users/mallory/followers"]}, Visibility.DIRECT),
    ({"to": ["https://here.example/ap/accounts/1"]}, Visibility.DIRECT),
    ({"to": []}, Visibility.DIRECT),
    ({"to": ..., "bto": [PUBLIC]}, Visibility.DIRECT),
]
# fmt: on


@pytest.mark.parametrize(("more", "visibility"), AUDIENCES)
def test_who_is_addressed_may_see_it(more: dict[str, Any], visibility: Visibility):
    found = reading.post(node(**more), None, f"{EVE}/followers")
    assert isinstance(found, IncomingPost) and found.visibility == visibility


def test_an_object_without_addresses_and_date_has_those_of_its_activity():
    activity = compact.read(
        orjson.dumps({"type": "Create", "actor": EVE, "to": PUBLIC, "published": "2026-03-04T08:15:30Z"})
    )
    found = reading.post(node(to=...), activity)
    assert isinstance(found, IncomingPost)
    assert (found.visibility, found.created_at) == (Visibility.PUBLIC, MARCH)


def test_only_who_is_addressed_is_named_by_a_tag():
    us, them = "https://here.example/ap/accounts/1", "https://other.example/users/bob"
    mentions = [{"type": "Mention", "href": uri, "name": "@x"} for uri in (us, them)]
    found = post(cc=[us, "https://other.example/users/carol"], tag=mentions)
    assert found.tagged == (us,)
    assert found.named == (us, "https://other.example/users/carol")


# fmt: off
DATES: list[tuple[Any, int]] = [
    ("2026-03-04T08:15:30Z", MARCH), ("2026-03-04T08:15:30.123Z", MARCH + 123),
    ("2026-03-04T08:15:30.123456789Z", MARCH + 123), ("2026-03-04T09:15:30+01:00", MARCH),
    ("2026-03-04T09:15:30+0100", MARCH), ("2026-03-04T08:15:30", MARCH), (" 2026-03-04T08:15:30Z ", MARCH),
    ({"@type": "xsd:dateTime", "@value": "2026-03-04T08:15:30Z"}, MARCH), (["2026-03-04T08:15:30Z"], MARCH),
    ("1970-01-01T00:00:00Z", 946_684_800_000), ("0001-01-01T00:00:00+14:00", 946_684_800_000),
    ("1999-12-31", 946_684_800_000),
]
NOW: list[Any] = [
    None, "", "soon", "9999-12-31T23:59:59-23:59", "2999-01-01T00:00:00Z", 5, True, {},
     [], "2026-13-01T00:00:00Z",
    "2026-03-04T25:00:00Z", "Wed, 04 Mar 2026 08:15:30 GMT", "2" * 5_000,
]
# fmt: on


@pytest.mark.parametrize(("published", "moment"), DATES)
def test_dates_are_read_and_kept_within_reason(published: Any, moment: int):
    assert post(published=published).created_at == moment


@pytest.mark.parametrize("published", NOW)
def test_no_date_and_a_date_to_come_are_now(published: Any):
    before = moments.now()
    assert before <= post(published=published).created_at <= moments.now()


@pytest.mark.parametrize("end", ["9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z"])
def test_the_end_of_a_poll_in_the_year_10000_can_still_be_written(end: str):
    ends_at = dates.parsed(end)
    assert ends_at is not None and moments.iso(ends_at) == "9999-12-31T00:00:00.000Z"


def test_only_a_later_date_is_an_edit():
    published = "2026-03-04T08:15:30Z"
    assert post(published=published, updated="2026-03-04T08:16:30Z").edited_at == MARCH + 60_000
    for updated in (published, "2020-01-01T00:00:00Z", None, "soon", 5):
        assert post(published=published, updated=updated).edited_at is None
    # Who changes a post within its first second says so by the activity.
    edited = reading.post(node(published=published, updated=published), {"type": "Update"})
    assert isinstance(edited, IncomingPost)
    assert edited.edited_at == edited.created_at


# fmt: off
PAGES: list[tuple[Any, str]] = [
    (f"{BASE}/@eve/1", f"{BASE}/@eve/1"),
    ([f"{BASE}/@eve/1", f"{BASE}/x"], f"{BASE}/@eve/1"),
    ([{"type": "Link", "href": f"{BASE}/1.json", "mediaType": "application/json"},
      {"type": "Link", "href": f"{BASE}/@eve/1", "mediaType": "text/html"}], f"{BASE}/@eve/1"),
    ({"type": "Link", "href": f"{BASE}/@eve/1"}, f"{BASE}/@eve/1"),
    ("http://remote.example/@eve/1", "http://remote.example/@eve/1"),
    ("https://other.example/@eve/1", NOTE),
    ("https://remote.example:444/@eve/1", NOTE),
    ("https://remote.example@other.example/", NOTE),
    ("javascript:alert(1)", NOTE), ("/@eve/1", NOTE), (5, NOTE), (None, NOTE), ({}, NOTE),
     ([[], {"href": 5}], NOTE),
    ([{"type": "Link", "href": "https://other.example/", "mediaType": "text/html"},
     f"{BASE}/p"], f"{BASE}/p"),
]
# fmt: on


@pytest.mark.parametrize(("url", "expected"), PAGES)
def test_the_page_is_on_the_same_host_or_the_id_stands_for_it(url: Any, expected: str):
    assert post(url=url).url == expected


# fmt: off
REFERENCES: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"inReplyTo": OTHER}, {"reply_to_uri": OTHER}),
    ({"inReplyTo": {"id": OTHER, "type": "Note"}}, {"reply_to_uri": OTHER}),
    ({"inReplyTo": [OTHER, NOTE]}, {"reply_to_uri": OTHER}),
    ({"inReplyTo": "not an address"}, {"reply_to_uri": ""}),
    ({"conversation": "tag:remote.example,2026:1"}, {"conversation": "tag:remote.example,2026:1"}),
    ({"context": f"{BASE}/contexts/1"}, {"conversation": f"{BASE}/contexts/1"}),
    ({"context": {"id": f"{BASE}/contexts/1", "type": "Collection"}}, {"conversation": f"{BASE}/contexts/1"}),
    ({"conversation": f"{BASE}/c/1", "context": f"{BASE}/c/2"}, {"conversation": f"{BASE}/c/1"}),
    ({"conversation": 5, "context": "x" * 5_000}, {"conversation": ""}),
    ({"replies": f"{NOTE}/replies"}, {"replies_uri": f"{NOTE}/replies"}),
    ({"replies": {"id": f"{NOTE}/replies", "type": "Collection"}}, {"replies_uri": f"{NOTE}/replies"}),
    ({"replies": {"type": "Collection", "first": f"{NOTE}/r?page=1"}}, {"replies_uri": f"{NOTE}/r?page=1"}),
    ({"replies": {"type": "Collection", "first": {"id": f"{NOTE}/r?page=1", "items": []}}},
     {"replies_uri": f"{NOTE}/r?page=1"}),
    ({"replies": "https://other.example/replies"}, {"replies_uri": ""}),
    ({"replies": 5}, {"replies_uri": ""}),
    ({"quote": OTHER}, {"quote_uri": OTHER}),
    ({"quote": {"id": OTHER, "type": "Note", "content": "forged"}}, {"quote_uri": OTHER}),
    ({"quoteUrl": OTHER}, {"quote_uri": OTHER}),
    ({"quoteUri": OTHER}, {"quote_uri": OTHER}),
    ({"_misskey_quote": OTHER}, {"quote_uri": OTHER}),
    ({"tag": [{"type": "Link", "mediaType": AS2, "href": OTHER}]}, {"quote_uri": OTHER}),
    ({"tag": {"type": "Link", "mediaType": "application/activity+json", "href": OTHER}},
     {"quote_uri": OTHER}),
    ({"tag": [{"type": "Link", "mediaType": "text/html", "href": OTHER}]}, {"quote_uri": ""}),
    ({"tag": [{"type": "Mention", "mediaType": AS2, "href": OTHER}]}, {"quote_uri": ""}),
    ({"quote": OTHER, "quoteUrl": f"{BASE}/x"}, {"quote_uri": OTHER}),
    ({"quote": "nothing", "quoteUrl": OTHER}, {"quote_uri": OTHER}),
    ({"quote": {"type": "Tombstone"}}, {"quote_uri": ""}),
    ({"quote": NOTE}, {"quote_uri": ""}),
    ({"quote": True, "quoteUrl": 5}, {"quote_uri": ""}),
    ({"quoteAuthorization": f"{OTHER}/c"}, {"quote_authorization": f"{OTHER}/c"}),
    ({"quoteAuthorization": {"id": f"{OTHER}/c", "type": "QuoteAuthorization"}},
     {"quote_authorization": f"{OTHER}/c"}),
    ({"quoteAuthorization": ["x", 5]}, {"quote_authorization": ""}),
]
# fmt: on


@pytest.mark.parametrize(("more", "expected"), REFERENCES)
def test_what_a_post_belongs_to_is_found_in_every_spelling(more: dict[str, Any], expected: dict[str, str]):
    found = post(**more)
    assert {name: getattr(found, name) for name in expected} == expected


# fmt: off
POLICIES: list[tuple[Any, Quotable]] = [
    (..., Quotable.NOBODY),
    ({"canQuote": {"automaticApproval": PUBLIC}}, Quotable.PUBLIC),
    ({"canQuote": {"automaticApproval": ["as:Public"], "manualApproval": []}}, Quotable.PUBLIC),
    ({"canQuote": {"automaticApproval": [f"{EVE}/followers"]}}, Quotable.FOLLOWERS),
    ({"canQuote": {"automaticApproval": [EVE]}}, Quotable.NOBODY),
    ({"canQuote": {"automaticApproval": [f"{EVE}/following"], "manualApproval": [PUBLIC]}},
     Quotable.OTHERS | Quotable.PUBLIC_ASKING),
    ({"canQuote": {"manualApproval": [f"{EVE}/followers", OTHER]}},
     Quotable.FOLLOWERS_ASKING | Quotable.OTHERS_ASKING),
    ({"canQuote": {"always": [PUBLIC], "approvalRequired": [OTHER]}},
     Quotable.PUBLIC | Quotable.OTHERS_ASKING),
    ({"canQuote": {"automaticApproval": [5, {}, None]}}, Quotable.NOBODY),
    ({"canQuote": PUBLIC}, Quotable.NOBODY),
    ({"canReply": {"always": [PUBLIC]}}, Quotable.NOBODY),
    (PUBLIC, Quotable.NOBODY),
]
# fmt: on


@pytest.mark.parametrize(("policy", "expected"), POLICIES)
def test_who_may_quote_is_read_in_every_shape_and_nobody_may_where_nothing_is_said(policy, expected):
    found = reading.post(node(interactionPolicy=policy), None, f"{EVE}/followers")
    assert isinstance(found, IncomingPost) and found.quotable == expected
