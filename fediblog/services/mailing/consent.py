"""Who wants which mails, and the link that stops them without signing in (RFC 8058)."""

from collections.abc import Iterable
from dataclasses import dataclass

from fediblog import db, keys, uris
from fediblog.config import settings
from fediblog.errors import Invalid, NotFound
from fediblog.models import User

_PURPOSE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of mail that one may do without. `sentence` says when it comes."""

    name: str
    sentence: str


_KINDS = (Kind("mention", "Somebody mentions you in a post."),)


def kinds() -> tuple[Kind, ...]:
    """What the settings page offers, in its order. Everybody gets all of it until they say no."""
    return _KINDS


async def wanted(user: User) -> set[str]:
    """The names of the kinds that this user gets."""
    refused = await db.column("SELECT kind FROM mail_opt_out WHERE user_id = $1", user.id)
    return {kind.name for kind in _KINDS} - set(refused)


async def set_kinds(user: User, names: Iterable[str]) -> None:
    """From now on these kinds and no others. Raises Invalid for a kind that does not exist."""
    chosen, known = set(names), {kind.name for kind in _KINDS}
    if chosen - known:
        raise Invalid("There is no such kind of mail.", field="kinds")
    async with db.transaction():
        await db.execute("DELETE FROM mail_opt_out WHERE user_id = $1", user.id)
        for name in sorted(known - chosen):
            await _refuse(user.id, name)


def unsubscribe_token(user_id: int, kind: str) -> str:
    """What the link carries. It needs no row, works for ever, and only our secret can make it."""
    signature = keys.sign(settings().secret, _PURPOSE, f"{user_id}.{kind}")
    return f"{user_id}.{kind}.{signature}"


def unsubscribe_link(user_id: int, kind: str) -> str:
    """The address that a mail names. GET asks whether one is sure, POST does it."""
    return uris.absolute(f"/unsubscribe?token={unsubscribe_token(user_id, kind)}")


async def holder(token: str) -> tuple[User, Kind]:
    """Whose mails of which kind a token stops. Raises NotFound for a token that we did not make."""
    named, _, signature = token.rpartition(".")
    user_id, _, name = named.partition(".")
    kind = next((kind for kind in _KINDS if kind.name == name), None)
    if kind is not None and keys.verify(settings().secret, _PURPOSE, named, signature):
        user = await User.get_or_none(id=int(user_id))
        if user is not None:
            return user, kind
    raise NotFound("This link is not valid. You can choose your mails in the settings.")


async def unsubscribe(token: str) -> tuple[User, Kind]:
    """Stop the mails that a token is for. Doing it twice is the same as once. Raises NotFound as `holder`."""
    user, kind = await holder(token)
    async with db.transaction():
        await _refuse(user.id, kind.name)
    return user, kind


async def _refuse(user_id: int, kind: str) -> None:
    await db.execute(
        "INSERT INTO mail_opt_out (user_id, kind) VALUES ($1, $2) ON CONFLICT DO NOTHING", user_id, kind
    )
