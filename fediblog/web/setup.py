"""The first visit: whoever has the link from the console becomes the admin."""

from quart import Blueprint, Response, request

from fediblog.config import settings as configuration
from fediblog.errors import Forbidden, Invalid
from fediblog.services import sessions, setup
from fediblog.services.sessions import SignedIn
from fediblog.services.signups import SignUp
from fediblog.web import answers, forms, submitted, who
from fediblog.web.forms import Filled
from fediblog.web.marks import for_visitors

blueprint = Blueprint("setup", __name__)

_USED = "This set-up link has been used or is too old. Start the server again to get a fresh one."


@blueprint.get("/setup")
async def form() -> Response:
    """The form, for those who have the token."""
    token = request.args.get("token", "")
    if not await setup.may_set_up(token):
        raise Forbidden(_USED)
    config = configuration()
    values = Filled(token=token, title=config.web.site_title, registration=config.registration.mode)
    return await _page(values)


@blueprint.post("/setup")
@for_visitors
async def set_up() -> Response:
    """Make the admin and sign her in."""
    sent = submitted.form()
    filled = forms.typed(sent, "token", "title", "registration", "username", "email")
    password = sent.text("password")
    person = SignUp(filled.value("username"), filled.value("email"), password)
    try:
        await setup.setup(filled.value("token"), person, filled.value("registration"), filled.value("title"))
    except Invalid as error:
        filled.refuse(error)
        return await _page(filled)
    agent = request.headers.get("User-Agent", "")
    signed_in = await sessions.sign_in(person.username, password, who.address(), agent)
    assert isinstance(signed_in, SignedIn)  # Who has just been made has no second factor.
    who.begin(signed_in.token)
    return answers.see_other("/home", done="welcome")


async def _page(filled: Filled) -> Response:
    return await answers.form("setup.html", filled, domain=configuration().domain)
