"""How an app comes to act for somebody: OAuth 2 with codes (RFC 6749 §4.1), PKCE (RFC 7636) and RFC 9700.

An app sends people to the consent page with a wish; who agrees gives it a code, and the app gives the code
back for a token. An app can have a token of its own too, with which it sees what everybody sees.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from fediblog import db, ids, keys, moments
from fediblog.errors import FediblogError, Forbidden, Invalid, Malformed, Unauthenticated
from fediblog.models import User
from fediblog.services import apps, locks, members, throttle, tokens, waiting_tokens
from fediblog.services.apps import App

LIFETIME, LIFETIME_BY_HAND = moments.MINUTE, 10 * moments.MINUTE
"""How long a code works that a browser carries to the app, and one that somebody copies from a page."""

REMEMBERED = moments.DAY
"""For so long after its end a code that comes a second time still ends the token made from it."""

# In five minutes from one network: what the Mastodon API allows in all, since a web client may have one
# address for all its people.
_MOST_TOKENS, _WINDOW = 300, 300

# Nobody has to sign in for a token of an app's own, so there must be an end to them.
_MOST_OWN = 10
_END_OLDER = """
DELETE FROM oauth_token WHERE app_id = $1 AND user_id IS NULL AND id NOT IN (
    SELECT id FROM oauth_token WHERE app_id = $1 AND user_id IS NULL ORDER BY id DESC LIMIT $2)
"""

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")

_STILL = """
SELECT 1 FROM person u JOIN membership m ON m.user_id = u.id JOIN account a ON a.id = m.account_id
WHERE u.id = $1 AND u.password_hash = $2 AND u.disabled_at IS NULL
  AND a.id = $3 AND a.suspended_at IS NULL AND a.deleted_at IS NULL
"""
_WORKS = "used_at IS NULL AND expires_at > $2"


class Refusal(FediblogError):
    """An app is told no; `code` is the word of the RFC for it."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        self.code = code
        self.http_status = status
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Wish:
    """What an app asks of somebody, and where it wants the answer."""

    app: App
    redirect_uri: str
    scopes: frozenset[str]
    challenge: str = ""


async def client(client_id: str, redirect_uri: str) -> App:
    """The app that wants its answer there.

    Raises Malformed when there is none, or when it has not registered this very address: then nobody is sent
    anywhere (RFC 9700 §4.11.2).
    """
    app = await apps.find(client_id)
    if app is None:
        raise Malformed("The app that sent you here is not registered at this server. Try again from there.")
    if redirect_uri not in app.redirect_uris:
        raise Malformed("The app that sent you here has not registered the address it wants to go on to.")
    return app


def wish(
    app: App, redirect_uri: str, kind: str, scope: str = "", challenge: str = "", method: str = ""
) -> Wish:
    """The wish of an app that `client` has found. Raises Refusal, which is for the redirect URI."""
    if kind != "code":
        raise Refusal("unsupported_response_type", "Only the response type `code` is supported.")
    if (challenge or method) and (method != "S256" or not _CHALLENGE.fullmatch(challenge)):
        raise Refusal("invalid_request", "The code challenge must be made with S256.")
    return Wish(app, redirect_uri, _within(app, scope), challenge)


async def grant(wish: Wish, user: User, account_id: int | None = None) -> str:
    """A code for the app, with which it may act for one of the user's accounts, the first if none is named.

    Raises Forbidden when the account is none of the user's, or suspended; Unauthenticated when the user was
    put out at this very moment, which ends codes and would not have seen this one.
    """
    account = await members.acted_for(user, account_id)
    if account.suspended_at is not None:
        raise Forbidden("This account has been suspended by the staff of this server.")
    code = keys.new_token()
    async with db.transaction():
        await locks.accounts([account.id])
        await locks.user(user.id)
        if await db.value(_STILL, user.id, user.password_hash, account.id) is None:
            raise Unauthenticated
        await db.execute(
            "INSERT INTO oauth_code"
            " (id, code_hash, app_id, user_id, account_id, redirect_uri, scopes, challenge, expires_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            *(ids.new(), keys.token_hash(code), wish.app.id, user.id, account.id, wish.redirect_uri),
            *(tokens.written(wish.scopes), wish.challenge, moments.now() + _lifetime(wish)),
        )
    return code


def _lifetime(wish: Wish) -> int:
    return LIFETIME_BY_HAND if wish.redirect_uri == apps.OUT_OF_BAND else LIFETIME


async def waits(user: User, code: str) -> bool:
    """Whether this is a code that this user gave an app, and that still works."""
    sql = f"SELECT 1 FROM oauth_code WHERE code_hash = $1 AND {_WORKS} AND user_id = $3"
    return await db.value(sql, keys.token_hash(code), moments.now(), user.id) is not None


async def slow_down(address: str) -> None:
    """Raises TooMany for an address from which very many ask for tokens. Outside of transactions."""
    await throttle.hit(throttle.bucket("oauth token", throttle.network(address)), _MOST_TOKENS, _WINDOW)


async def exchange(app: App, code: str, redirect_uri: str, verifier: str = "") -> tuple[str, frozenset[str]]:
    """The token for a code, once, with its scopes. Raises Refusal.

    A code that comes a second time ends the token that it brought the first time (RFC 6749 §4.1.2): one of
    the two who had it has stolen it.
    """
    found = await db.row("SELECT * FROM oauth_code WHERE code_hash = $1", keys.token_hash(code))
    if found is None or found["app_id"] != app.id:
        raise _not_good()
    if found["used_at"] is None:
        if found["redirect_uri"] != redirect_uri or not _proves(verifier, found["challenge"]):
            raise _not_good()
        async with db.transaction():
            if await _take(found):
                scopes = frozenset(found["scopes"].split())
                owner = (found["user_id"], found["account_id"])
                return await tokens.make(*owner, scopes, app.id, found["id"]), scopes
    async with db.transaction():
        await db.execute("DELETE FROM oauth_token WHERE code_id = $1", found["id"])
    raise _not_good()


async def for_app(app: App, scope: str = "") -> tuple[str, frozenset[str]]:
    """A token of the app's own (RFC 6749 §4.4), with its scopes; its latest few work. Raises Refusal."""
    scopes = _within(app, scope)
    async with db.transaction():
        made = await tokens.create(None, None, scopes, app.id)
        await db.execute(_END_OLDER, app.id, _MOST_OWN)
    return made, scopes


async def revoke(token: str, app: App | None) -> None:
    """The token opens nothing any more (RFC 7009). One that nobody knows is fine.

    Raises Refusal for the token of another app. One made at the command line belongs to whoever holds it.
    """
    found = await db.row("SELECT app_id FROM oauth_token WHERE token_hash = $1", keys.token_hash(token))
    nobodys = await waiting_tokens.find(token)
    if found is None and nobodys is None:
        return
    given_to = nobodys.app_id if nobodys else found["app_id"] if found else None
    if given_to is not None and (app is None or app.id != given_to):
        raise Refusal("unauthorized_client", "You are not authorized to revoke this token", 403)
    await tokens.revoke(token)


async def _take(found: db.Row) -> bool:
    """Use a code up. False when it is too old, or somebody else was first."""
    await locks.user(found["user_id"])
    sql = f"UPDATE oauth_code SET used_at = $2 WHERE id = $1 AND {_WORKS} RETURNING id"
    return await db.value(sql, found["id"], moments.now()) is not None


def _proves(verifier: str, challenge: str) -> bool:
    """Whether the app that brings a code is the one that asked for it (RFC 7636 §4.6).

    A verifier without a challenge is a sign that somebody took the challenge away (RFC 9700 §4.8.2).
    """
    if not challenge or not _VERIFIER.fullmatch(verifier):
        return not challenge and not verifier
    digest = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), challenge)


def _within(app: App, scope: str) -> frozenset[str]:
    """The scopes that are asked for. Raises Refusal for more than the app has registered."""
    if not scope.strip():
        return frozenset(["read"]) if tokens.covers(app.scopes, "read") else app.scopes
    try:
        wanted = tokens.parse_scopes(scope)
    except Invalid as error:
        raise Refusal("invalid_scope", error.message) from None
    if not all(tokens.covers(app.scopes, name) for name in wanted):
        raise Refusal("invalid_scope", "The app has not registered all of the scopes that it asks for.")
    return wanted


def _not_good() -> Refusal:
    return Refusal(
        "invalid_grant",
        "The authorization code is unknown, too old, used already, or was given for something else.",
    )
