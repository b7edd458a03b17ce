"""Reporting a post or a person to the staff: a page with a form, reached from their menus."""

from collections.abc import Sequence

from quart import Blueprint, Response

from fediblog.errors import Invalid, TooMany
from fediblog.models import Account
from fediblog.services import accounts, posts, reports, settings
from fediblog.services.reports import Category, Complaint
from fediblog.web import answers, faces, forms, lines, profiles, submitted, who
from fediblog.web.forms import Filled
from fediblog.web.lines import Line
from fediblog.web.marks import even_when_full

blueprint = Blueprint("reporting", __name__)

_CATEGORIES = (
    (Category.SPAM.value, "It is spam", "Advertising, fake accounts, the same reply again and again."),
    (Category.VIOLATION.value, "It breaks a rule of this server", "Say which one below."),
    (Category.LEGAL.value, "It is against the law", ""),
    (Category.OTHER.value, "It is something else", "Tell us in your own words."),
)


@blueprint.get("/@<handle:name>/report")
async def ask_about_account(name: str) -> Response:
    """What is wrong with somebody?"""
    return await _page(await _other(name), None, Filled(category=Category.OTHER.value))


@blueprint.post("/@<handle:name>/report")
@even_when_full
async def report_account(name: str) -> Response:
    """Tell the staff."""
    return await _file(await _other(name), None)


@blueprint.get("/@<handle:name>/<int:post_id>/report")
async def ask_about_post(name: str, post_id: int) -> Response:
    """What is wrong with a post?"""
    target, line = await _post(post_id)
    return await _page(target, line, Filled(category=Category.OTHER.value))


@blueprint.post("/@<handle:name>/<int:post_id>/report")
@even_when_full
async def report_post(name: str, post_id: int) -> Response:
    """Tell the staff, and show it the post."""
    return await _file(*await _post(post_id))


async def _other(name: str) -> Account:
    """Somebody whom the reader may report. Raises Unauthenticated, NotFound."""
    who.member()
    return await profiles.find(name)


async def _post(post_id: int) -> tuple[Account, Line]:
    """A post that the reader sees, and its author."""
    viewer = who.member().account
    post = await posts.original(post_id, viewer)
    return await accounts.get(post.author_id), await lines.of(post.id, viewer)


async def _file(target: Account, line: Line | None) -> Response:
    form = submitted.form()
    filled = forms.typed(form, "category", "comment", "forward")
    rule_ids = form.numbers("rule_ids")
    post_ids = [line.body.id] if line else []
    # Who ticks a rule has said what it is about, whatever was chosen above before.
    category = Category.VIOLATION.value if rule_ids else form.text("category")
    complaint = Complaint(form.text("comment"), category, post_ids, rule_ids, form.flag("forward"))
    try:
        await reports.file(who.member().account, target, complaint)
    except (Invalid, TooMany) as error:
        filled.refuse(error)
        return await _page(target, line, filled, rule_ids)
    return answers.see_other(line.href if line else faces.face_of(target).href, done="reported")


async def _page(target: Account, line: Line | None, filled: Filled, rule_ids: Sequence[int] = ()) -> Response:
    face = faces.face_of(target)
    return await answers.form(
        "report.html",
        filled,
        target=face,
        line=line,
        back=line.href if line else face.href,
        server="" if target.local else target.domain,
        categories=_CATEGORIES,
        rules=await settings.rules(),
        broken=rule_ids,
    )
