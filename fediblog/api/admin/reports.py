"""Reports as the staff sees them, with both sides, the posts and the rules."""

from collections.abc import Sequence

from quart import Blueprint, Response, request

from fediblog import moments, paging
from fediblog.api import answers, auth, forms, rendering
from fediblog.api import entities as words
from fediblog.api import reports as door
from fediblog.api.admin import entities
from fediblog.api.admin.entrance import staff
from fediblog.services import dossiers, reports, settings, views
from fediblog.services.reports import Choice, Report

blueprint = Blueprint("admin_reports_api", __name__, url_prefix="/api/v1/admin/reports")


@blueprint.get("")
@staff("admin:read:reports")
async def listing() -> Response:
    """GET /api/v1/admin/reports: `resolved` (else those that are open), `account_id`, `target_account_id`."""
    given = await forms.parameters()
    reporters, targets = (forms.ids(given.get(name)) for name in ("account_id", "target_account_id"))
    choice = Choice(
        forms.boolean(given.get("resolved")),
        reporters[0] if reporters else None,
        targets[0] if targets else None,
    )
    page = paging.parse(request.args, 100, 200)
    found = await reports.listing(auth.user(), page, choice)
    return answers.listing(await _rendered(found), page, [report.id for report in found])


@blueprint.get("/<int:report_id>")
@staff("admin:read:reports")
async def show(report_id: int) -> Response:
    """GET /api/v1/admin/reports/:id."""
    return await _one(await reports.get(auth.user(), report_id))


@blueprint.put("/<int:report_id>")
@staff("admin:write:reports")
async def update(report_id: int) -> Response:
    """PUT /api/v1/admin/reports/:id: `category`, `rule_ids[]`."""
    given = await forms.parameters()
    rules = forms.ids(given["rule_ids"]) if "rule_ids" in given else None
    category = forms.text(given.get("category")) or None
    return await _one(await reports.update(auth.user(), report_id, category, rules))


@blueprint.post("/<int:report_id>/assign_to_self")
@staff("admin:write:reports")
async def assign(report_id: int) -> Response:
    """POST /api/v1/admin/reports/:id/assign_to_self."""
    return await _one(await reports.assign(auth.user(), report_id))


@blueprint.post("/<int:report_id>/unassign")
@staff("admin:write:reports")
async def unassign(report_id: int) -> Response:
    """POST /api/v1/admin/reports/:id/unassign."""
    return await _one(await reports.unassign(auth.user(), report_id))


@blueprint.post("/<int:report_id>/resolve")
@staff("admin:write:reports")
async def resolve(report_id: int) -> Response:
    """POST /api/v1/admin/reports/:id/resolve."""
    return await _one(await reports.resolve(auth.user(), report_id))


@blueprint.post("/<int:report_id>/reopen")
@staff("admin:write:reports")
async def reopen(report_id: int) -> Response:
    """POST /api/v1/admin/reports/:id/reopen."""
    return await _one(await reports.reopen(auth.user(), report_id))


async def _one(report: Report) -> Response:
    return answers.json((await _rendered([report]))[0])


async def _rendered(found: Sequence[Report]) -> list[bytes]:
    """Admin::Report entities, in a constant number of statements.

    The posts are shown whoever else may see them: the reporter, who may, has handed them to the staff.
    """
    owners = await dossiers.owned(
        number for report in found for number in (report.assigned_to_id, report.resolved_by_id) if number
    )
    sides = {number for report in found for number in (report.account_id, report.target_id)}
    people = await entities.several(sides | set(owners.values()))
    entries = await views.entries(list({number for one in found for number in one.post_ids}), auth.account())
    posts = await rendering.by_id(list(entries.values()), auth.account())
    rules = {
        rule.id: {"id": str(rule.id), "text": rule.text, "hint": rule.hint} for rule in await settings.rules()
    }

    def person(user_id: int | None) -> bytes:
        return people.get(owners.get(user_id or 0, 0), b"null")

    return [
        _joined(
            {
                **door.facts(report),
                "updated_at": moments.iso(report.updated_at),
                "rules": [rules[number] for number in report.rule_ids if number in rules],
            },
            account=people.get(report.account_id, b"null"),
            target_account=people.get(report.target_id, b"null"),
            assigned_account=person(report.assigned_to_id),
            action_taken_by_account=person(report.resolved_by_id),
            statuses=rendering.listing(posts[number] for number in report.post_ids if number in posts),
        )
        for report in found
    ]


def _joined(facts: words.Json, **parts: bytes) -> bytes:
    """One JSON object out of what is not rendered yet and what is."""
    facts = {name: value for name, value in facts.items() if name not in ("status_ids", "rule_ids")}
    rest = b"".join(b',"%b":%b' % (name.encode(), part) for name, part in parts.items())
    return words.dump(facts)[:-1] + rest + b"}"
