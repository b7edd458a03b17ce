"""The link in each mail that stops its kind (RFC 8058): GET asks, POST does it, without signing in.

No form token is needed: whoever has the link may do this, and mail programs post to it without a page.
"""

from quart import Blueprint, Response, request

from fediblog.services import mail
from fediblog.web import answers
from fediblog.web.marks import even_when_full, needs_no_form

blueprint = Blueprint("unsubscribe", __name__)


@blueprint.get("/unsubscribe")
async def ask() -> Response:
    """A button: programs that look into mails follow links."""
    token = request.args.get("token", "")
    _, kind = await mail.holder(token)
    return await answers.page("unsubscribe.html", token=token, kind=kind, done=False)


@blueprint.post("/unsubscribe")
@even_when_full
@needs_no_form
async def stop() -> Response:
    """No more of these."""
    token = request.args.get("token", "")
    _, kind = await mail.unsubscribe(token)
    return await answers.page("unsubscribe.html", token=token, kind=kind, done=True)
