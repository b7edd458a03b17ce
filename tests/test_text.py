"""What people type: what is found in it, what it looks like, how long it counts, how it is stored."""

import re
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fediblog import text
from fediblog.text import Handle, Person
from tests.harness.markup import Markup, assert_harmless

pytestmark = pytest.mark.once

BOB = Handle("bob", None)
EVE = Handle("eve", "remote.example")
PEOPLE = {
    BOB: Person("bob", "https://home.example/@bob"),
    EVE: Person("eve", "https://remote.example/users/eve?a=1&b=2"),
}


def tag_url(name: str) -> str:
    return f"https://home.example/tags/{name.lower()}"


def rendered(source: str, people: Mapping[Handle, Person] = PEOPLE) -> str:
    return text.render(source, people, tag_url)


def handles(source: str) -> list[str]:
    return [f"{one.username}@{one.domain or ''}" for one in text.scan(source).handles]


def hashtags(source: str) -> list[str]:
    return list(text.scan(source).hashtags)


def links(source: str) -> list[str]:
    return re.findall(r'<a href="([^"]+)" target="_blank"', rendered(source, {}))


# Handles


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("@bob hello", ["bob@"]),
        ("hello (@bob), .@eve@remote.example!", ["bob@", "eve@remote.example"]),
        ("@bob.", ["bob@"]),
        ("@a.b-c_d@x.example.", ["a.b-c_d@x.example"]),
        ("@bob- @-bob", ["bob@"]),
        ("@bobさん", ["bob@"]),
        ("@bob@Remote.EXAMPLE", ["bob@remote.example"]),
        ("@bob@localhost:8000, @eve@127.0.0.1:81", ["bob@localhost:8000", "eve@127.0.0.1:81"]),
        ("@bob@remote.example: look", ["bob@remote.example"]),
        ("@bob@remote.example:123456", ["bob@remote.example"]),
        ("@bob@例え.jp", ["bob@xn--r8jz45g.jp"]),
        ("@bob@Bücher.example:8000", ["bob@xn--bcher-kva.example:8000"]),
        ("@bob @bob @Bob", ["bob@", "Bob@"]),
    ],
)
def test_handles_are_found(source: str, found: list[str]):
    assert handles(source) == found


@pytest.mark.parametrize(
    "source",
    [
        "bob@example.org",
        "mailto:first.last@example.org",
        "héé@example",
        "e\u0301@example",  # the letter before the @ is written with two characters
        "https://remote.example/@bob",
        "remote.example/@bob",
        "http://@bob",
        "https://bob@evil.example/@eve",
        "?user=@bob",
        "@ bob",
        "@é",
        "@.bob",
        "@bob@straße.example",  # two domains, depending on the standard
        "@bob@" + "a" * 300,
        "@bob@" + "é" * 64 + ".example",  # no label of DNS is so long
    ],
)
def test_look_alikes_are_no_handles(source: str):
    assert handles(source) == []
    assert "<a href" not in rendered(source, {BOB: PEOPLE[BOB]}) or links(source)


def test_a_handle_that_nobody_has_stays_plain_text():
    assert rendered("@ghost and @ghost@remote.example") == "<p>@ghost and @ghost@remote.example</p>"


def test_no_more_than_fifty_handles_and_sixty_four_hashtags_are_taken():
    assert len(handles(" ".join(f"@a{n}" for n in range(80)))) == 50
    assert len(hashtags(" ".join(f"#a{n}" for n in range(80)))) == 64


# Hashtags


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("#One, #two! (#three)", ["One", "two", "three"]),
        ("#Caturday #caturday #CATURDAY", ["Caturday"]),
        ("#straße #STRASSE #ｆｕｌｌ #full", ["straße", "ｆｕｌｌ"]),
        ("#2024 #2024年 #4_2 #²", ["2024年", "4_2"]),
        ("#col·lecció #col· #スター・ウォーズ #・", ["col·lecció", "col", "スター・ウォーズ"]),
        ("#हिन्दी #می\u200cخواهم #cafe\u0301", ["हिन्दी", "می\u200cخواهم", "cafe\u0301"]),
        ("#1\ufe0f\u20e3 #\ufe0f\u20e3", []),  # emoji of a key
        ("##twice #one#two", ["twice", "one"]),
        ("l'#amour 愛#愛", ["amour"]),
        ("#" + "a" * 100, ["a" * 100]),
    ],
)
def test_hashtags_are_found(source: str, found: list[str]):
    assert hashtags(source) == found


@pytest.mark.parametrize(
    "source",
    [
        "a#b",
        "C#",
        "# heading",
        "#1",
        "/#b",
        "&#39;",
        "https://a.example/#b",
        "#" + "a" * 101,
        "#-a",
        "e\u0301#b",
    ],
)
def test_look_alikes_are_no_hashtags(source: str):
    assert hashtags(source) == []


# Links


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("see https://a.example.", ["https://a.example"]),
        ("HTTPS://A.example/Path", ["HTTPS://A.example/Path"]),
        ("(https://a.example/b)", ["https://a.example/b"]),
        ("https://en.example/wiki/Moon_(film)", ["https://en.example/wiki/Moon_(film)"]),
        ("(see https://en.example/wiki/Moon_(film)).", ["https://en.example/wiki/Moon_(film)"]),
        ("[x](https://a.example/b), **https://a.example/c**", ["https://a.example/b", "https://a.example/c"]),
        ("“https://a.example/b”, 'https://a.example/c'", ["https://a.example/b", "https://a.example/c"]),
        ("<https://a.example/b>", ["https://a.example/b"]),
        ("見てhttps://a.example/愛。ね", ["https://a.example/愛"]),
        ("http://localhost:8000/x?y=[1]#z", ["http://localhost:8000/x?y=[1]#z"]),
        ("http://[::1]:80/ https://ünï.example", ["http://[::1]:80/", "https://ünï.example"]),
        ("https://good.example\\@evil.example", ["https://good.example"]),
        ("https://a.example/@bob/1 #b", ["https://a.example/@bob/1"]),
    ],
)
def test_links_are_found(source: str, found: list[str]):
    assert links(source) == [url.replace("&", "&amp;") for url in found]


@pytest.mark.parametrize(
    "source",
    [
        "https://",
        "https:// a",
        "http://http://",
        "javascript:alert(1)",
        "javascript://a.example/%0aalert(1)",
        "xhttps://a.example",
        "https://good.example@evil.example/",
        "https://user:password@evil.example/",
        "https://a.example:port/",
        "https://a.example/" + "a" * 2048,
        "a.example",
    ],
)
def test_look_alikes_are_no_links(source: str):
    assert links(source) == []
    assert text.plain(rendered(source)) == source


# What they look like


def test_a_mention_has_the_shape_that_clients_know():
    assert rendered("@bob") == (
        '<p><span class="h-card" translate="no">'
        '<a href="https://home.example/@bob" class="u-url mention">@<span>bob</span></a></span></p>'
    )
    assert 'href="https://remote.example/users/eve?a=1&amp;b=2"' in rendered("@eve@remote.example")


def test_a_hashtag_has_the_shape_that_clients_know():
    assert rendered("#Föö") == (
        '<p><a href="https://home.example/tags/föö" class="mention hashtag" rel="tag">'
        "#<span>Föö</span></a></p>"
    )


def test_a_long_link_hides_its_scheme_and_its_end():
    assert rendered("https://www.example.org/a?b=1&c=" + "d" * 20) == (
        '<p><a href="https://www.example.org/a?b=1&amp;c=dddddddddddddddddddd" target="_blank"'
        ' rel="nofollow noopener" translate="no"><span class="invisible">https://www.</span>'
        '<span class="ellipsis">example.org/a?b=1&amp;c=dddddddddd</span>'
        '<span class="invisible">dddddddddd</span></a></p>'
    )


def test_a_short_link_hides_its_scheme():
    assert rendered("http://example.org/") == (
        '<p><a href="http://example.org/" target="_blank" rel="nofollow noopener" translate="no">'
        '<span class="invisible">http://</span><span>example.org/</span></a></p>'
    )


def test_lines_and_paragraphs():
    assert rendered("one\ntwo\n\nthree\n\n\n\nfour") == "<p>one<br />two</p><p>three</p><p>four</p>"


@pytest.mark.parametrize("source", ["", " ", "\n\n", " \n \n "])
def test_no_text_is_no_markup(source: str):
    assert rendered(source) == ""


def test_text_is_escaped_once():
    assert rendered('a < b & <b> "c" &lt;') == '<p>a &lt; b &amp; &lt;b&gt; "c" &amp;lt;</p>'


def test_no_address_and_no_name_gets_out_of_its_attribute():
    people = {BOB: Person('"><script>', 'https://a.example/"onclick="x')}
    html = text.render("@bob #a https://a.example/'onclick='x\"y", people, lambda name: f'"onclick="{name}')
    assert "<script>" not in html
    assert {name for name, _ in Markup(html).attributes} == {"href", "class", "rel", "target", "translate"}


def test_a_note_reads_like_a_post_and_a_field_is_one_line_whose_links_say_me():
    source = "I am\n@bob https://bob.example"
    field = text.render_field(source, PEOPLE, tag_url)
    assert text.render_note(source, PEOPLE, tag_url) == rendered(source)
    assert "<p>" not in field
    assert "<br" not in field
    assert '<a href="https://bob.example" target="_blank" rel="me nofollow noopener"' in field
    assert 'rel="me' not in rendered(source)


# How long it counts


@pytest.mark.parametrize(
    ("source", "summary", "counted"),
    [
        ("", "", 0),
        ("hello", "", 5),
        ("hello", "cw", 7),
        ("a\nb", "", 3),
        ("👩‍👩‍👧 e\u0301 🇳🇿", "", 5),
        ("https://example.org/" + "a" * 500, "", 23),
        ("https://a.b!", "", 24),
        ("@eve@remote.example hi", "", len("@eve hi")),
        ("@bob", "", 4),
        ("#hashtag", "", 8),
        ("bob@remote.example", "", 18),
    ],
)
def test_length_counts_what_readers_see(source: str, summary: str, counted: int):
    assert text.length(source, summary) == counted


# Fields


def test_a_tidy_line_is_one_line_without_what_nobody_meant_to_type():
    assert text.tidy(" a\r\n\tb\x00\x1b[1m\u202ec\u2066d\ud800 ") == "a  b[1mcd"
    assert text.tidy("e\u0301") == "é"
    assert text.tidy("👩‍👩‍👧 \u200fא") == "👩‍👩‍👧 \u200fא"


def test_a_tidy_block_keeps_its_lines():
    assert text.tidy_block("\n a \r\n\tb\rc\u2028d\x00\n \n\n\n\n\ne\n") == "a\n\tb\nc\nd\n\n\ne"


def test_a_letter_keeps_a_bearable_number_of_marks():
    assert len(text.tidy("a" + "\u0301\u0327" * 1_000)) < 40


@pytest.mark.parametrize(
    ("one", "other"),
    [("Foo", "fOO"), ("Straße", "STRASSE"), ("ＡＢＣ", "abc"), ("cafe\u0301", "CAFÉ"), ("ΣΑΣ", "σας")],
)
def test_hashtags_are_compared_by_their_key(one: str, other: str):
    assert text.tag_key(one) == text.tag_key(other)


# Properties

# fmt: off
TYPED = [
    "@", "#", "bob", "@eve@remote.example", "#tag", "https://", "a.example", ":8000", "/", ".", ")", "(",
    " ", "\n", "\n\n", "é", "e\u0301", "漢", "<b>", "&amp;", "&", '"', "'", "\x00", "\ud800", "\u202e",
    "\r\n", "\t",
]
# fmt: on

typed = st.text() | st.lists(st.sampled_from(TYPED) | st.text(max_size=3), max_size=40).map("".join)


@settings(deadline=None)
@given(typed)
def test_what_we_render_is_harmless_and_survives_cleaning(source: str):
    html = rendered(text.tidy_block(source))
    cleaned = text.clean(html)
    assert_harmless(html)
    assert Markup(cleaned).values("class") == Markup(html).values("class")
    assert text.plain(cleaned) == text.plain(html)


@settings(deadline=None)
@given(typed)
def test_rendering_loses_nothing_of_the_text(source: str):
    tidied = text.tidy_block(source)
    shown = text.plain(rendered(tidied, {BOB: PEOPLE[BOB]}))
    assert shown == re.sub(r"\n{2,}", "\n\n", tidied)


@settings(deadline=None)
@given(typed)
def test_every_text_can_be_scanned_and_measured(source: str):
    found = text.scan(source)
    assert 0 <= text.length(source) <= len(source) + 23 * source.lower().count("http")
    assert all(handle.domain is None or handle.domain.isascii() for handle in found.handles)
    assert all(f"#{name}" in source for name in found.hashtags)
    assert "<p>" not in text.render_field(source, PEOPLE, tag_url)


@settings(deadline=None)
@given(typed)
def test_tidying_twice_is_the_same_as_once(source: str):
    for tidying in (text.tidy, text.tidy_block, text.tag_key):
        once = tidying(source)
        assert tidying(once) == once


@settings(deadline=None)
@given(typed)
def test_what_is_tidy_can_be_stored(source: str):
    line, block = text.tidy(source), text.tidy_block(source)
    (line + block).encode("utf-8")
    assert not re.search("[\x00-\x08\r\u202a-\u202e\u2066-\u2069]", line + block)
    assert "\n" not in line
    assert "\n\n\n\n" not in block
