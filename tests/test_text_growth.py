"""Text that was built to be slow takes time in proportion to its length (SECURITY §4)."""

import time
from collections.abc import Callable

import pytest

from fediblog import text

pytestmark = pytest.mark.once

# fmt: off
HOSTILE_TEXT = [
    "@", "#", "http://", "https://a)", "(https://a.b ", "<", "a@", "@a@b", "@a@é.", "@a-", "#a·", "\n ",
    "[", "&", "\u0301", "\u0301\u0327", "#\u0301", "👩\u200d", "é",
]
HOSTILE_HTML = [
    "<", "<b>", "</b>", "<div>", "<p><b lang=x>", "<a b='", '<a b=">">', "<a b", "<a b ", "<!--", "<!",
    "</", "<script>", "<textarea ", "&#9", "&", "<ul><li>x", "<ruby><rt>", "<pre>\n", "x<blockquote>",
    "<i>x</b>", "<b><div></b>", " \n", "<math><annotation x-tex ", "<a href=http://[>x</a>",
]
# fmt: on


def _rendered(source: str) -> str:
    return text.render(source, {}, str)


def ratio(work: Callable[[str], object], unit: str) -> float:
    """How many times as long four times the text takes: 4 when linear, 16 when quadratic."""

    def seconds(size: int) -> float:
        whole = (unit * (size // len(unit) + 1))[:size]
        started = time.process_time()
        work(whole)
        return time.process_time() - started

    return seconds(100_000) / max(seconds(25_000), 0.002)


def assert_linear(work: Callable[[str], object], unit: str) -> None:
    """The best of three attempts counts: what is in the way for once is no growth."""
    assert any(ratio(work, unit) < 12 for _ in range(3)), f"{work} grows too fast with {unit!r}"


@pytest.mark.parametrize("unit", HOSTILE_TEXT)
def test_typed_text_takes_time_in_proportion_to_its_length(unit: str):
    for work in (text.scan, _rendered, text.length, text.tidy_block, text.tag_key):
        assert_linear(work, unit)


@pytest.mark.parametrize("unit", HOSTILE_HTML)
def test_foreign_html_takes_time_in_proportion_to_its_length(unit: str):
    for work in (text.clean, text.plain):
        assert_linear(work, unit)
    assert_linear(lambda body: text.clean("<a " + body), unit)
