"""Reports: what an app's people want the staff to look at."""

from quart import Blueprint, Response

from fediblog import moments
from fediblog.api import answers, auth, entities, forms, rendering
from fediblog.api.auth import scope
from fediblog.errors import Invalid
from fediblog.services import accounts, reports
from fediblog.services.reports import Complaint, Report

blueprint = Blueprint("reports_api", __name__, url_prefix="/api/v1/reports")


@blueprint.post("")
@scope("write:reports")
async def file() -> Response:
    """POST /api/v1/reports: `account_id`, `status_ids[]`, `comment`, `category`, `rule_ids[]`, `forward`."""
    given = await forms.parameters()
    account_ids = forms.ids(given.get("account_id"))
    if len(account_ids) != 1:
        raise Invalid("Say whom you report.", field="account_id")
    complaint = Complaint(
        forms.text(given.get("comment")),
        forms.text(given.get("category")),
        forms.ids(given.get("status_ids")),
        forms.ids(given.get("rule_ids")),
        forms.boolean(given.get("forward")),
    )
    report = await reports.file(auth.account(), await accounts.get(account_ids[0]), complaint)
    shown = await rendering.accounts([report.target_id])
    return answers.json(entity(report, shown[report.target_id]))


def entity(report: Report, target: bytes) -> bytes:
    """A Report as its reporter gets it, and the staff in a notification; `target` is the Account as JSON."""
    return entities.dump(facts(report))[:-1] + b',"target_account":' + target + b"}"


def facts(report: Report) -> entities.Json:
    """What a report says itself."""
    return {
        "id": str(report.id),
        "action_taken": report.resolved_at is not None,
        "action_taken_at": moments.iso(report.resolved_at) if report.resolved_at else None,
        "category": report.category.value,
        "comment": report.comment,
        "forwarded": report.forwarded,
        "created_at": moments.iso(report.created_at),
        "status_ids": [str(number) for number in report.post_ids],
        "rule_ids": [str(number) for number in report.rule_ids],
    }
