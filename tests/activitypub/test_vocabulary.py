"""Names and media types: what asks for ActivityStreams, what is ActivityStreams, one or many."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fediblog.activitypub import vocabulary
from fediblog.activitypub.vocabulary import as_list, id_of, is_activity_type, wants_activity

pytestmark = pytest.mark.once

AS2_LD = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'

# fmt: off
ASKS_FOR_ACTIVITY = [
    "application/activity+json",
    "Application/Activity+JSON",
    AS2_LD,
    'application/ld+json;profile="https://www.w3.org/ns/activitystreams";q=0.8',
    'application/ld+json; profile="https://example.com/other https://www.w3.org/ns/activitystreams"',
    r'application/ld+json; profile="https:\//www.w3.org/ns/activitystreams"',
    vocabulary.ACCEPT,
    # Mastodon, Pleroma, GoToSocial
    f"application/activity+json, {AS2_LD}, text/html;q=0.1",
    "application/activity+json;q=0.9, */*;q=0.1",
    "text/html, application/activity+json",
    'text/html; title=", application/xml", application/activity+json',
    "text/html;q=0.5, application/activity+json;q=0.5",
]
ASKS_FOR_A_PAGE = [
    "",
    "*/*",
    "application/*",
    "application/json",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
    "application/ld+json",
    'application/ld+json; profile="https://www.w3.org/ns/activitystreams#"',
    'application/ld+json; profile="https://www.w3.org/ns/activitystreams',
    "application/activity+json;q=0",
    "application/activity+json;q=0.000",
    "application/activity+json;q=lots",
    "application/activity+json;q=0.4;q=1",
    "text/html, application/activity+json;q=0.9",
    'text/html; a="application/activity+json"',
    "text/html; a=application/activity+json",
    "application/activity+jsonx",
]
# fmt: on


@pytest.mark.parametrize("accept", ASKS_FOR_ACTIVITY)
def test_who_asks_for_activitystreams_gets_it(accept: str):
    assert wants_activity(accept)


@pytest.mark.parametrize("accept", ASKS_FOR_A_PAGE)
def test_browsers_and_those_who_do_not_care_get_a_page(accept: str):
    assert not wants_activity(accept)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/activity+json",
        "application/activity+json; charset=utf-8",
        AS2_LD,
        AS2_LD + "; charset=utf-8",
    ],
)
def test_activitystreams_is_recognised_by_its_type(content_type: str):
    assert is_activity_type(content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/html",
        "application/json",
        "application/ld+json",
        "text/plain; x=application/activity+json",
        'text/plain; x="application/activity+json"',
        "application/activity+json, text/html",
        "text/html, application/activity+json",
        "application/activity+json; x=1, text/html",
        'application/activity+json; x="',
        "application/activity+json-seq",
        "x application/activity+json",
        'application/ld+json; profile="https://example.com/"',
        'application/ld+json; profile="a"; profile="https://www.w3.org/ns/activitystreams"',
        'application/ld+json; x="; profile=https://www.w3.org/ns/activitystreams"',
    ],
)
def test_what_only_mentions_activitystreams_is_refused(content_type: str):
    assert not is_activity_type(content_type)


@given(st.text(alphabet='aq=",;\\ /*+.1') | st.text())
@settings(max_examples=200)
def test_no_header_raises(value: str):
    assert wants_activity(value) in (True, False)
    assert is_activity_type(value) in (True, False)


def test_one_many_and_none_are_a_list():
    assert as_list(None) == []
    assert as_list("a") == ["a"]
    assert as_list({"id": "a"}) == [{"id": "a"}]
    assert as_list(["a", "b"]) == ["a", "b"]


@pytest.mark.parametrize(
    "nothing", [None, "", 5, True, [], ["https://a.example"], {}, {"id": 5}, {"href": "x"}]
)
def test_what_names_nothing_has_no_id(nothing: object):
    assert id_of(nothing) is None


def test_an_id_is_found_bare_and_in_an_object_but_not_when_it_is_endless():
    assert id_of("https://a.example/1") == "https://a.example/1"
    assert id_of({"id": "https://a.example/1", "type": "Note"}) == "https://a.example/1"
    assert id_of("https://a.example/" + "x" * 3_000) is None
    assert id_of("https://a.example/" + "é" * 1_500) is None
    assert id_of("https://a.example/\ud800")


def _used_prefixes(value: object) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(_used_prefixes(item) for key, item in value.items() if key != "@container"))
    prefix, colon, rest = str(value).partition(":")
    return {prefix} if colon and not rest.startswith("//") else set()


def test_the_context_names_activitystreams_first_and_defines_every_prefix_it_uses():
    first, second, terms = vocabulary.CONTEXT
    assert (first, second) == ("https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1")
    assert _used_prefixes(terms) <= set(terms) | {"as"}


@pytest.mark.parametrize(
    "term",
    """
    manuallyApprovesFollowers discoverable indexable featured featuredTags alsoKnownAs movedTo memorial
    suspended webfinger attributionDomains interactionPolicy canFeature showFeatured assertionMethod Multikey
    publicKeyMultibase controller implements PropertyValue value Hashtag Emoji sensitive blurhash focalPoint
    votersCount conversation quote quoteUri quoteUrl _misskey_quote canQuote automaticApproval manualApproval
    QuoteRequest QuoteAuthorization quoteAuthorization interactingObject interactionTarget
    """.split(),
)
def test_the_context_defines_every_extension_that_we_write(term: str):
    assert term in vocabulary.CONTEXT[2]
