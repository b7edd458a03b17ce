"""Feeds: what everybody may read, for feed readers. RSS 2.0 and Atom (RFC 4287)."""

from collections.abc import Sequence
from typing import NamedTuple

from quart import Blueprint, Response

from fediblog import text, uris
from fediblog.paging import Page
from fediblog.services import settings, timelines, views
from fediblog.services.views import Body, Card, Entry
from fediblog.web import faces, profiles, templating
from fediblog.web.timelines import must_be_open

blueprint = Blueprint("feeds", __name__)

_MOST = 20
_TITLE = 80
_RSS = "application/rss+xml; charset=utf-8"
_ATOM = "application/atom+xml; charset=utf-8"


class Item(NamedTuple):
    """A post in a feed."""

    title: str
    url: str
    id: str
    html: str
    body: Body
    author: Card


@blueprint.get("/@<name:name>.rss")
async def account_rss(name: str) -> Response:
    """Public posts of an account, without replies and boosts."""
    return await _of_account(name, "feed.rss.xml", _RSS)


@blueprint.get("/@<name:name>.atom")
async def account_atom(name: str) -> Response:
    """The same as Atom."""
    return await _of_account(name, "feed.atom.xml", _ATOM)


@blueprint.get("/tags/<name>.rss")
async def tag_rss(name: str) -> Response:
    """Public posts with a hashtag."""
    await must_be_open()
    shown = text.tidy(name).lstrip("#")
    listing = await timelines.tag(shown, None, Page(_MOST))
    site = await settings.get()
    return _feed(
        "feed.rss.xml",
        _RSS,
        title=f"#{shown} · {site.title}",
        about=f"Public posts with #{shown}",
        page=uris.tag_page(shown),
        feed=f"{uris.tag_page(shown)}.rss",
        items=await _items(listing.entries),
    )


async def _of_account(name: str, template: str, kind: str) -> Response:
    owner = await profiles.find(name)
    listing = await timelines.account(owner, None, Page(_MOST), replies=False, boosts=False)
    face = faces.face_of(owner)
    return _feed(
        template,
        kind,
        title=f"{face.name} (@{face.handle}@{uris.absolute('').partition('://')[2]})",
        about=text.plain(owner.note),
        page=owner.url,
        feed=f"{owner.url}.{'rss' if kind == _RSS else 'atom'}",
        items=await _items(listing.entries),
    )


async def _items(entries: Sequence[Entry]) -> list[Item]:
    bodies = await views.bodies([entry.post_id for entry in entries])
    cards = await views.cards([entry.post_author_id for entry in entries])
    return [
        _item(bodies[entry.post_id], cards[entry.post_author_id])
        for entry in entries
        if entry.post_id in bodies and entry.post_author_id in cards
    ]


def _item(body: Body, author: Card) -> Item:
    title = body.summary or text.excerpt(body.content, _TITLE) or "A post without words"
    html = templating.render("feed_text.html", body=body)
    return Item(title, body.url, body.uri, html, body, author)


def _feed(template: str, kind: str, **values: object) -> Response:
    return Response(templating.render(template, **values), content_type=kind)
