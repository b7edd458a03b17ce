"""Answers: a page, or the way to another one."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from quart import Response, g, redirect, request

from fediblog import __version__, moments
from fediblog.activitypub.vocabulary import ACTIVITY_JSON
from fediblog.config import settings as configuration
from fediblog.models import Role, User
from fediblog.services import follows, notifications, settings, signups
from fediblog.services.settings import Mode, Site
from fediblog.web import csrf, templating, who
from fediblog.web.faces import Face, face_of
from fediblog.web.forms import Filled

# An app's wish (consent.py) carries addresses and a state of the app's own.
LONGEST_WAY_BACK = 6_000

# What a page may say once after something was done; the address carries the name of the sentence.
DONE = {
    "saved": "Your changes are saved.",
    "welcome": "Welcome! This is your home: posts of the people you follow appear here.",
    "deleted": "The post is deleted.",
    "password": "Your password is changed. All other sessions and apps are signed out.",
    "signed_out": "You are signed out.",
    "email_asked": "We have sent a link to the new address. It counts when you have opened it.",
    "sessions": "All other sessions are signed out.",
    "codes_off": "No more codes are asked for. All other sessions are signed out.",
    "approved": "They are in, and get a mail about it.",
    "app_revoked": "It cannot act for you any more.",
    "retried": "What has not arrived is being tried again.",
    "list_made": "The list is there. Choose who is on it.",
    "list_deleted": "The list is deleted.",
    "cancelled": "The post is deleted before anybody saw it.",
    "moved": "You have moved. Your followers are being told.",
    "reported": "Thank you. Your report is with the people who look after this server.",
    "rejected": "The sign-up is rejected and its data deleted.",
}


@dataclass(frozen=True, slots=True)
class Shell:
    """What stands around every page."""

    site: Site
    user: User | None
    me: Face | None
    unread: int
    requests: int
    applicants: int
    theme: str
    path: str
    here: str  # The path with its query, to come back to.
    done: str
    now: int

    @property
    def csrf(self) -> str:
        """The token for the page's forms. Asking for it makes the page private."""
        return csrf.token()

    @property
    def staff(self) -> bool:
        """Whether the reader looks after this server."""
        return self.user is not None and self.user.role is not Role.USER

    @property
    def sign_in(self) -> str:
        """The way to sign in and come back."""
        return f"/auth/sign_in?{urlencode({'return_to': self.here})}"

    @property
    def version(self) -> str:
        """Ours."""
        return __version__

    @property
    def joinable(self) -> bool:
        """Whether anybody may sign up, with or without waiting."""
        return self.site.registration in (Mode.OPEN, Mode.APPROVAL)


async def page(template: str, status: int = 200, shows: str = "", **values: Any) -> Response:
    """A page made from a template and these values.

    `shows` is the id of the one thing of ours that it shows: other servers find it by that (FEDERATION §1.6).
    """
    shows = shows if configuration().federation.enabled else ""
    text = templating.render(template, shell=await shell(), shows=shows, **values)
    response = Response(text, status, content_type="text/html; charset=utf-8")
    if shows:
        response.headers["Link"] = f'<{shows}>; rel="alternate"; type="{ACTIVITY_JSON}"'
    return response


async def form(template: str, filled: Filled, **values: Any) -> Response:
    """A page with a form, whose faults are also told to programs: by the status, and when to try again."""
    response = await page(template, filled.status, filled=filled, **values)
    if filled.pause:
        response.headers["Retry-After"] = str(filled.pause)
    return response


def see_other(path: str, done: str = "") -> Response:
    """On to another page after something was done. `path` is one of ours."""
    if done:
        before, hash_, anchor = path.partition("#")
        path = f"{before}{'&' if '?' in before else '?'}done={done}{hash_}{anchor}"
    response = redirect(path, 303)
    assert isinstance(response, Response)
    return response


def elsewhere(url: str) -> Response:
    """A visitor who wants something of another server reads it there: we keep no copies for strangers."""
    response = redirect(url, 302)
    assert isinstance(response, Response)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def back(default: str = "/home") -> Response:
    """On to where the form was: what it says, as far as that is a page of ours."""
    return see_other(local(g.form.text("return_to")) or default)


def local(path: str) -> str:
    """The path when it is one of this site and nothing else, "" otherwise (SECURITY §5, open redirects)."""
    if not path.startswith("/") or path[1:2] in ("/", "\\") or not path.isprintable():
        return ""
    if len(path) > LONGEST_WAY_BACK:
        return ""
    parts = urlsplit(path)
    if parts.scheme or parts.netloc or "\\" in path:
        return ""
    # The Location header has to be ASCII, whatever was typed.
    return quote(path, safe="/?#=&%+@:,;~!$'()*-._")


async def shell() -> Shell:
    """The surroundings for this request."""
    session = who.session()
    user, account = (session.user, session.account) if session else (None, None)
    is_staff = user is not None and user.role is not Role.USER
    return Shell(
        site=await settings.get(),
        user=user,
        me=face_of(account) if account else None,
        unread=await notifications.unread(account) if account else 0,
        requests=await follows.count_requests(account) if account and account.locked else 0,
        applicants=await signups.count_waiting() if is_staff else 0,
        theme=who.theme(),
        path=request.path,
        here=_here(),
        done=DONE.get(request.args.get("done", ""), ""),
        now=moments.now(),
    )


def _here() -> str:
    """This page with its query, but for the word that something has just been done."""
    query = urlencode([(name, value) for name, value in request.args.items(multi=True) if name != "done"])
    return quote(request.path, safe="/@:") + (f"?{query}" if query else "")


def bare_shell() -> Shell:
    """The same without asking anybody, for when something is broken."""
    title = configuration().web.site_title
    site = Site(title, "", "", "", Mode.CLOSED, members_only=False, allow_list=False)
    return Shell(site, None, None, 0, 0, 0, "auto", request.path, "/", "", moments.now())
