"""Signing up, in and out; confirming an address; choosing a new password."""

from urllib.parse import urlencode

from quart import Blueprint, Response, request

from fediblog.config import settings as configuration
from fediblog.errors import Forbidden, Invalid, NotFound, TooMany, Unauthenticated
from fediblog.services import email_changes, invites, sessions, settings, signups
from fediblog.services.sessions import Halfway, SignedIn
from fediblog.services.settings import Mode
from fediblog.services.signups import SignUp
from fediblog.web import answers, forms, submitted, who
from fediblog.web.forms import Filled
from fediblog.web.marks import even_when_full, for_visitors

blueprint = Blueprint("auth", __name__)

_SIGN_UP = ("username", "email", "reason", "invite_code")


# ------------------------------------------------------------------------------------------- in and out


@blueprint.get("/auth/sign_in")
async def sign_in_form() -> Response:
    """Name and password. With `again` also for who is signed in, since it may be somebody else's turn."""
    return_to = answers.local(request.args.get("return_to", ""))
    if who.session() is not None and "again" not in request.args:
        return answers.see_other(return_to or "/home")
    return await _sign_in(Filled(return_to=return_to))


@blueprint.post("/auth/sign_in")
@for_visitors
@even_when_full
async def sign_in() -> Response:
    """Open a session. The one that the browser had ends, so that nobody slips one in."""
    form = submitted.form()
    filled = forms.typed(form, "name", "return_to")
    try:
        outcome = await sessions.sign_in(filled.value("name"), form.text("password"), *_browser())
    except (Unauthenticated, Forbidden, TooMany) as error:
        filled.refuse(error)
        return await _sign_in(filled)
    if isinstance(outcome, Halfway):
        who.write(who.HALFWAY, outcome.token, sessions.HALFWAY_SECONDS)
        way = urlencode({"return_to": answers.local(filled.value("return_to"))})
        return answers.see_other(f"/auth/sign_in/otp?{way}")
    return _signed_in(outcome, filled)


@blueprint.get("/auth/sign_in/otp")
async def code_form() -> Response:
    """The second step, for who has taken the first one in this browser."""
    filled = Filled(return_to=answers.local(request.args.get("return_to", "")))
    if not who.read(who.HALFWAY):
        return answers.see_other(f"/auth/sign_in?{urlencode(filled.values)}")
    return await _code(filled)


@blueprint.post("/auth/sign_in/otp")
@for_visitors
@even_when_full
async def sign_in_with_code() -> Response:
    """Open the session with a code. Whatever is wrong with the first step leads back to it."""
    form = submitted.form()
    filled = forms.typed(form, "return_to")
    try:
        outcome = await sessions.sign_in_with_code(who.read(who.HALFWAY), form.text("code"), *_browser())
    except Unauthenticated as error:
        who.write(who.HALFWAY, "", 0)
        filled.refuse(error)
        return await _sign_in(filled)
    except (Invalid, Forbidden, TooMany) as error:
        filled.refuse(error)
        return await _code(filled)
    who.write(who.HALFWAY, "", 0)
    return _signed_in(outcome, filled)


@blueprint.post("/auth/sign_out")
@even_when_full
async def sign_out() -> Response:
    """End the session."""
    await sessions.sign_out(who.read(who.SESSION))
    who.end()
    return answers.see_other("/auth/sign_in", done="signed_out")


def _browser() -> tuple[str, str, str | None]:
    """Where it is, what it is, and the session that it had."""
    return who.address(), request.headers.get("User-Agent", ""), who.read(who.SESSION) or None


def _signed_in(outcome: SignedIn, filled: Filled) -> Response:
    who.begin(outcome.token)
    who.write(who.THEME, outcome.user.theme)
    return answers.see_other(answers.local(filled.value("return_to")) or "/home")


async def _sign_in(filled: Filled) -> Response:
    return await answers.form("auth/sign_in.html", filled)


async def _code(filled: Filled) -> Response:
    return await answers.form("auth/code.html", filled)


# --------------------------------------------------------------------------------------------------- up


@blueprint.get("/auth/sign_up")
async def sign_up_form() -> Response:
    """The form, or why there is none."""
    return await _sign_up(Filled())


@blueprint.get("/invite/<code>")
async def invited(code: str) -> Response:
    """The same with an invite, which opens the door where it is closed to others."""
    if await invites.find(code) is None:
        raise NotFound("This invite is not valid any more.")
    return await _sign_up(Filled(invite_code=code))


@blueprint.post("/auth/sign_up")
@for_visitors
async def sign_up() -> Response:
    """Sign up. What comes next depends on the mode, and not on whether the address was known."""
    form = submitted.form()
    filled = forms.typed(form, *_SIGN_UP)
    try:
        if not form.flag("agreement"):
            raise Invalid("Please read the rules and agree to them.", "agreement")
        user = await signups.register(
            SignUp(
                username=filled.value("username"),
                email=filled.value("email"),
                password=form.text("password"),
                reason=filled.value("reason"),
                invite_code=filled.value("invite_code"),
            ),
            who.address(),
        )
    except (Invalid, Forbidden, TooMany) as error:
        filled.refuse(error)
        return await _sign_up(filled)
    mails = configuration().mail.leaves
    waits = await _waits(filled.value("invite_code"))
    if not mails and user.active:
        return answers.see_other("/auth/sign_in")
    return await answers.page("auth/signed_up.html", email=user.email if mails else "", waits=waits)


async def _sign_up(filled: Filled) -> Response:
    site = await settings.get()
    invited = bool(filled.value("invite_code"))
    opened = site.registration in (Mode.OPEN, Mode.APPROVAL) or (invited and site.registration is Mode.INVITE)
    return await answers.form(
        "auth/sign_up.html",
        filled,
        opened=opened,
        rules=await settings.rules(),
        asks_why=site.registration is Mode.APPROVAL and not invited,
        by_invite=site.registration is Mode.INVITE,
    )


async def _waits(invite_code: str) -> bool:
    return (await settings.get()).registration is Mode.APPROVAL and not invite_code


# ------------------------------------------------------------------------------------------ the address


@blueprint.get("/auth/confirmation")
async def confirm_form() -> Response:
    """A button: programs that look into mails follow links, and must not use this one up."""
    return await _confirmation(Filled(), request.args.get("token", ""))


@blueprint.post("/auth/confirmation")
@for_visitors
async def confirm() -> Response:
    """The address is that of the user; or, with an address instead of a token, another mail is asked for."""
    form = submitted.form()
    filled = forms.typed(form, "email")
    try:
        if form.text("token"):
            user = await signups.confirm(form.text("token"))
            return await answers.page("auth/confirmed.html", waits=user.approved_at is None)
        await signups.request_confirmation(filled.value("email"), who.address())
    except (Invalid, TooMany) as error:
        filled.refuse(error)
        return await _confirmation(filled)
    return await _confirmation(filled, sent=True)


async def _confirmation(filled: Filled, token: str = "", sent: bool = False) -> Response:
    return await answers.form("auth/confirmation.html", filled, token=token, sent=sent)


@blueprint.get("/auth/email")
async def new_address_form() -> Response:
    """The same for another address of somebody who is here already."""
    token = request.args.get("token", "")
    return await answers.form("auth/email.html", Filled(), token=token, done=False, email="")


@blueprint.post("/auth/email")
@for_visitors
async def new_address() -> Response:
    """From now on mail goes there. No session is needed: it may be another browser that reads the mail."""
    filled = Filled()
    email = ""
    try:
        email = (await email_changes.confirm(submitted.form().text("token"))).email
    except Invalid as error:
        filled.refuse(error)
    return await answers.form("auth/email.html", filled, token="", done=bool(email), email=email)


# ----------------------------------------------------------------------------------------- the password


@blueprint.get("/auth/password/new")
async def forgotten_form() -> Response:
    """Ask for the address."""
    return await answers.form("auth/password_new.html", Filled(), sent=False)


@blueprint.post("/auth/password/new")
@for_visitors
async def forgotten() -> Response:
    """Send a link. The answer is the same for every address."""
    filled = forms.typed(submitted.form(), "email")
    try:
        await sessions.request_reset(filled.value("email"), who.address())
    except (Invalid, TooMany) as error:
        filled.refuse(error)
        return await answers.form("auth/password_new.html", filled, sent=False)
    return await answers.form("auth/password_new.html", filled, sent=True)


@blueprint.get("/auth/password/edit")
async def reset_form() -> Response:
    """Ask for the new password."""
    token = request.args.get("token", "")
    filled = Filled(token=token)
    return await answers.form("auth/password_edit.html", filled, works=await sessions.may_reset(token))


@blueprint.post("/auth/password/edit")
@even_when_full
@for_visitors
async def reset() -> Response:
    """Set it. All sessions and apps are signed out."""
    form = submitted.form()
    filled = forms.typed(form, "token")
    try:
        await sessions.reset(filled.value("token"), form.text("new"))
    except Invalid as error:
        filled.refuse(error)
        works = "token" not in error.fields
        return await answers.form("auth/password_edit.html", filled, works=works)
    return answers.see_other("/auth/sign_in", done="password")
