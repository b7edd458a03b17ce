"""oEmbed: a public post as a piece of another site's page (oembed.com, §2.3)."""

from html import escape

from quart import Blueprint, Response, request

from fediblog import moments, text, uris
from fediblog.api import answers, forms
from fediblog.errors import NotFound
from fediblog.models import Account, Post
from fediblog.services import accounts, posts, settings, views
from fediblog.services.views import Body

blueprint = Blueprint("oembed_api", __name__, url_prefix="/api/oembed")

_WIDTH = 400
_KEPT_SECONDS = 86_400
_TITLE = 70
_QUOTE = (
    '<blockquote class="fediblog-post" cite="{url}" lang="{language}">{content}'
    '<p>— {name} (@{handle}) <a href="{url}">{date}</a></p></blockquote>'
)


@blueprint.get("")
async def show() -> Response:
    """GET /api/oembed: `url` of a post of ours that everybody may see, `maxwidth`. JSON alone."""
    post = await _asked(request.args.get("url", "").strip())
    author, body = await accounts.get(post.author_id), await views.body(post.id)
    width = forms.number(request.args.get("maxwidth"))
    return answers.json(
        {
            "type": "rich",
            "version": "1.0",
            "title": body.summary or text.excerpt(body.content, _TITLE),
            "author_name": author.display_name or author.username,
            "author_url": author.url,
            "provider_name": (await settings.get()).title,
            "provider_url": uris.absolute("/"),
            "cache_age": _KEPT_SECONDS,
            "html": _html(author, body),
            "width": min(_WIDTH, width) if width and width > 0 else _WIDTH,
            "height": None,
        }
    )


async def _asked(url: str) -> Post:
    """The post of a page, or of an identity. Raises NotFound for all that a stranger may not see."""
    page, identity = uris.page(url), uris.local(url)
    number = page[2] if page else identity[1] if identity and identity[0] == "posts" else None
    if number is None:
        raise NotFound
    post = await posts.get(number, None)
    if not post.local or post.boost_of_id is not None:
        raise NotFound
    return post


def _html(author: Account, body: Body) -> str:
    """What stands under a warning is shown when the reader asks for it."""
    content = body.content
    if body.summary:
        content = f"<details><summary>{escape(body.summary)}</summary>{content}</details>"
    return _QUOTE.format(
        url=escape(body.url),
        language=escape(body.language),
        content=content,
        name=escape(author.display_name or author.username),
        handle=escape(author.username),
        date=moments.iso_day(body.created_at),
    )
