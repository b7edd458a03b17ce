"""What other servers send as HTML: what we keep of it, what never gets through, what is its plain text."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fediblog import text
from tests.harness.markup import assert_harmless

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("foreign", "ours"),
    [
        ("<p>a <b>b</b> <i lang='de'>c</i></p>", '<p>a <b>b</b> <i lang="de">c</i></p>'),
        ("<p>a<br>b<br/>c</p>", "<p>a<br>b<br>c</p>"),
        ("plain & simple < text", "plain &amp; simple &lt; text"),
        ("<h1>Title</h1><h3 class='x'>Sub</h3>", "<p><strong>Title</strong></p><p><strong>Sub</strong></p>"),
        ("<h2>a<p>b</p></h2>", "<p><strong>a</strong></p><p>b</p>"),
        ("<div>a</div><div>b</div>c", "<p>a</p><p>b</p>c"),
        ("<section>\n  <p>a</p>\n  <p>b\n  c</p>\n</section>", "<p>a</p><p>b c</p>"),
        ("<p>a<p>b<p></p>", "<p>a</p><p>b</p>"),
        ("<p>a<br>\n   b<br>  c</p>", "<p>a<br>b<br>  c</p>"),
        ("<ul>\n<li>1<li>2</ul>", "<ul><li>1</li><li>2</li></ul>"),
        ("<li>1</li><li>2</li>", "<p>1</p><p>2</p>"),
        (
            "<ol start=3 reversed><li value=7 class=x>1",
            '<ol start="3" reversed="reversed"><li value="7">1</li></ol>',
        ),
        ("<ul><li>a<ul><li>b</ul><li>c</ul>", "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>"),
        ("<blockquote><p>q</p></blockquote><pre><code> x\n\n y</code></pre>",) * 2,
        ("<ruby>漢<rp>(<rt>kan<rp>)</ruby>", "<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>"),
        ("<rt>x</rt>", "x"),
        ("<b>a<p>b</b>c</p>", "<b>a<p>b</p></b>c"),
        ("<span class='h-card x mention-evil invisible'>a</span>", '<span class="h-card invisible">a</span>'),
        (
            "<p translate=yes lang='d e'>a</p><span translate=no>b</span>",
            '<p>a</p><span translate="no">b</span>',
        ),
        ("<span translate=yes>a</span><ol start=1x><li value=''>b</ol>", "<span>a</span><ol><li>b</li></ol>"),
        ("<iframe>a</iframe><style>b{}</style><title>c</title><svg><text>d</text></svg>e", "e"),
        ("<p class='quote-inline'>RE</p>", '<p class="quote-inline">RE</p>'),
        ("<p>a<img src=x alt=y><video>b</video><!-- c --></p>", "<p>ab</p>"),
        ("<math><mi>x</mi><annotation encoding='application/x-tex'>x^2</annotation></math>", "x^2"),
        ("<math><mi>x</mi></math>", ""),
        ("<p>cut off <a href='https://a.example", "<p>cut off </p>"),
        ("a<!-- never closed <b>", "a"),
        ("a\x00b\u202ec\ud800d", "abcd"),
    ],
)
def test_foreign_html_becomes_ours(foreign: str, ours: str):
    assert text.clean(foreign) == ours


LINK = 'rel="nofollow noopener noreferrer" target="_blank"'


@pytest.mark.parametrize(
    ("foreign", "ours"),
    [
        (
            "<a href='https://a.example?a=1&copy=2' id=x>a</a>",
            f'<a href="https://a.example?a=1&amp;copy=2" {LINK}>a</a>',
        ),
        (
            "<a href=HTTP://a.example rel='me opener' target=_top>a</a>",
            f'<a href="HTTP://a.example" {LINK}>a</a>',
        ),
        ("<a href=gemini://a.example>a</a>", f'<a href="gemini://a.example" {LINK}>a</a>'),
        ("<a href=xmpp:a@b.example>a</a>", f'<a href="xmpp:a@b.example" {LINK}>a</a>'),
        (
            "<a href=dat://a>a<b>b<a href=dat://b>c</a></b></a>",
            f'<a href="dat://a" {LINK}>a<b>b</b></a><a href="dat://b" {LINK}>c</a>',
        ),
    ],
)
def test_foreign_links_get_our_rel_and_target(foreign: str, ours: str):
    assert text.clean(foreign) == ours


def test_a_foreign_hashtag_and_a_foreign_mention_stay_what_they_are():
    hashtag = '<a href="https://a.example/x" class="mention hashtag" rel="tag">#<span>x</span></a>'
    mention = (
        '<span class="h-card"><a href="https://a.example/@x" class="u-url mention">@<span>x</span></a></span>'
    )
    assert text.clean(hashtag) == hashtag.replace('rel="tag"', LINK.replace("nofollow", "tag nofollow"))
    assert text.clean(mention) == mention.replace('mention"', f'mention" {LINK}')


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "java\nscript:alert(1)",
        "java&#10;script&colon;alert(1)",
        "&#x6a;avascript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://a.example/x",
        "//a.example/",
        "/relative",
        "#anchor",
        "https:a.example",
        "http://[bad",
        "http://a.example:99999/",
        "https://a b.example",
        "https://a.example/" + "a" * 2048,
        "",
    ],
)
def test_a_link_with_another_address_becomes_text(address: str):
    assert text.clean(f'<p>a <a href="{address}" class="mention">b</a></p>') == "<p>a b</p>"


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<SCRIPT/x>alert(1)</SCRIPT >",
        "<scr<script>ipt>alert(1)</script>",
        "<style>@import 'x'</style>",
        "<iframe src=https://a.example></iframe>",
        "<img src=x onerror=alert(1)>",
        "<p onclick=alert(1)>a</p>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=x&gt;'>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<textarea><a title='</textarea><img src=x onerror=alert(1)>'>",
        "<a href='https://a.example' title='\"><script>alert(1)</script>'>a</a>",
        "<a href='https://a.example/\"onmouseover=\"alert(1)'>a</a>",
        "<a href=https://a.example/`onmouseover=alert(1)>a</a>",
        "<form action=x><button formaction=javascript:alert(1)>a</button></form>",
        "<template><script>alert(1)</script></template>",
        "<![CDATA[<script>alert(1)</script>]]>",
        "<?xml <script>alert(1)</script> ?>",
        "<!--><script>alert(1)</script>-->",
        "<plaintext><script>alert(1)</script>",
        "<base href=https://evil.example><meta http-equiv=refresh content=0><link rel=stylesheet href=x>",
        "<p id=x name=y data-z=1 style='position:fixed'>a</p>",
    ],
)
def test_nothing_but_the_allow_list_gets_through(hostile: str):
    assert_harmless(text.clean(hostile))


def test_cleaned_text_is_cut_at_a_hundred_thousand_characters():
    long = text.clean("<p>" + "aé&and-so-on-at-length<i>b</i>" * 8_000)
    assert len(text.plain(long)) == 100_000
    assert text.clean(long) == long
    assert text.plain(text.clean("<p>" + "\u00a0&" * 60_000 + "x")).count("&") == 50_000


def test_no_more_than_forty_thousand_tags_are_looked_at():
    dense = text.clean("<i>b</i>" * 60_000)
    assert 5_000 < len(text.plain(dense)) <= 40_000 / 3 + 1
    assert text.clean(dense) == dense
    assert text.clean("<b>" * 40_000 + "late") == ""


def test_cleaned_markup_is_cut_where_it_is_mostly_tags():
    long = text.clean("<h1>x" * 100_000)
    assert len(long) < 500_000
    assert long.endswith("<p><strong>x</strong></p>")
    assert text.clean(long) == long


def test_a_tree_without_end_is_flattened():
    deep = text.clean("<blockquote>" * 5_000 + "deep" + "</blockquote>" * 5_000)
    assert "deep" in deep
    assert 10 < deep.count("<blockquote>") <= 100


def test_a_mended_tree_does_not_grow():
    """Forty kilobytes of this become twenty megabytes in a parser that mends them."""
    foreign = "".join(f"<p><b class='p-{number}'>x" for number in range(2_000))
    assert len(text.clean(foreign)) < 2 * len(foreign)


def test_a_number_without_end_is_no_character():
    assert text.clean("&#" + "9" * 10_000 + ";") == "\ufffd"
    assert text.clean("&#0; &#xd800; &#x110000;") == "\ufffd \ufffd \ufffd"


# Plain text


@pytest.mark.parametrize(
    ("html", "readable"),
    [
        ("<p>a &lt; b &amp;amp;</p><p>c<br />d</p>", "a < b &amp;\n\nc\nd"),
        ("<h1>T</h1>x<ul><li>1</li><li>2</li></ul>y", "T\n\nx\n\n- 1\n- 2\n\ny"),
        ("<div>a</div>\n\n<div>b</div>", "a\n\nb"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<script>x</script>", ""),
        ("", ""),
    ],
)
def test_plain_text_is_readable(html: str, readable: str):
    assert text.plain(html) == readable


def test_plain_text_has_the_whole_address_of_a_link():
    address = "https://www.example.org/" + "a" * 100
    assert text.plain(text.render(f"see {address}", {}, str)) == f"see {address}"


@pytest.mark.parametrize(
    ("html", "most", "shown"),
    [
        ("<p>one two</p><p>three</p>", 13, "one two three"),
        ("<p>one two</p><p>three</p>", 12, "one two…"),
        ("<p>one, two</p>", 6, "one…"),
        ("<p>愛愛愛愛愛愛</p>", 4, "愛愛愛…"),
        ("<p>ab👩‍👩‍👧cdefgh</p>", 5, "ab…"),
        ("<p></p>", 5, ""),
        ("<p>ab</p>", 1, "…"),
    ],
)
def test_an_excerpt_ends_at_a_word(html: str, most: int, shown: str):
    assert text.excerpt(html, most) == shown


# Properties

# fmt: off
ELEMENTS = [
    "a", "b", "p", "h1", "div", "pre", "ul", "ol", "li", "ruby", "rt", "rp", "span", "blockquote", "i",
    "code", "br", "table", "td", "script", "style", "textarea", "math", "svg", "unknown",
]
FRAGMENTS = [
    "<a href='https://a.example'>", '<a href="javascript:x">', "<a href=http://[x>",
    "<a href=http://xn--a/ rel=tag>", "<p class='u-url x'>", "<span translate=no lang=de>",
    "<ol start=2>", "<b title='>", "'", '"', "<!--", "-->", "<p onclick='x'", ">", "<", "&lt;", "&#13;",
    "&#x202e;", "&nbsp;", "&", " ", "\n", "  \n ", "\ud800", "\ufeff",
]
# fmt: on

TAGS = [f"<{slash}{name}>" for name in ELEMENTS for slash in ("", "/")]

markup = st.lists(st.sampled_from(TAGS) | st.sampled_from(FRAGMENTS) | st.text(max_size=4), max_size=40).map(
    "".join
)


@settings(deadline=None)
@given(markup)
@example("<p><object><p>x")
@example("<pre><b></b>\n\nx")
@example("<a href='http://[x'><p>x</a>")
def test_what_is_clean_is_harmless_and_stays_as_it_is(foreign: str):
    once = text.clean(foreign)
    assert_harmless(once)
    assert text.clean(once) == once


@settings(deadline=None)
@given(markup, st.integers(1, 60))
def test_an_excerpt_is_one_line_and_never_longer_than_asked(html: str, most: int):
    shown = text.excerpt(html, most)
    assert len(shown) <= most
    assert "\n" not in shown


REFERENCE = '<p class="quote-inline">RE: <a href="https://a.example/1?a=1&amp;b=2">x</a></p>'


@pytest.mark.parametrize(
    ("html", "without"),
    [
        ("<p>a</p>", "<p>a</p>"),
        (f"<p>a</p>{REFERENCE}", "<p>a</p>"),
        (f"{REFERENCE}<p>a</p>", "<p>a</p>"),
        ('<p>a<span class="quote-inline"><br><br>RE: <a href="x">x</a></span></p>', "<p>a</p>"),
        ('<p>a</p><p class="quote-inline"><span>RE: <span>x</span></span></p><p>b</p>', "<p>a</p><p>b</p>"),
        ('<p>a <a href="/x>quote-inline">b</a></p>', '<p>a <a href="/x>quote-inline">b</a></p>'),
        ("<p>quote-inline</p>", "<p>quote-inline</p>"),
    ],
)
def test_what_stands_for_a_quote_is_found_and_taken_out(html: str, without: str) -> None:
    assert text.without_reference(html) == without


def test_a_text_that_leads_to_what_it_quotes_needs_no_other_link() -> None:
    assert text.refers_to(REFERENCE) and text.refers_to(text.reference("https://a.example/2"))
    plain = '<p><a href="https://a.example/1?a=1&amp;b=2">x</a></p>'
    assert text.refers_to(plain, "https://a.example/1?a=1&b=2") and not text.refers_to(plain, "", "https://a")
    assert_harmless(text.reference('https://a.example/"><script>'))


@given(st.text(alphabet='<>/="pa quote-inlinebr&;'))
def test_taking_out_what_stands_for_a_quote_makes_nothing_harmful(foreign: str) -> None:
    assert_harmless(text.without_reference(text.clean(foreign)))
