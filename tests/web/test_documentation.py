"""The page about the API."""

import re

from fediblog.description import book
from tests.web.browser import Browser


async def test_the_page_has_an_anchor_for_each_route_and_each_entity_and_no_dead_one(
    visitor: Browser,
) -> None:
    html = (await visitor.open("/docs/api")).html

    anchors = re.findall(r' id="([^"]+)"', html)
    assert len(anchors) == len(set(anchors))
    assert {route.name for route in book.ROUTES} | set(book.entities()) <= set(anchors)
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(anchors)


async def test_the_page_tells_of_a_route_who_may_ask_what_and_what_comes_back(visitor: Browser) -> None:
    html = (await visitor.open("/docs/api")).html
    route = html[html.index('<article id="post-api-v1-accounts-account-id-mute">') :].partition("</article>")[
        0
    ]

    for words in ("write:mutes", "notifications", "seconds", '<a href="#Relationship">', "401, 403, 404"):
        assert words in route, words


async def test_the_page_may_be_kept_by_whoever_has_read_it(visitor: Browser) -> None:
    page = await visitor.open("/docs/api")

    assert page.headers["Cache-Control"].startswith("public")
    assert page.headers["ETag"]
    assert "<script" not in page.html
