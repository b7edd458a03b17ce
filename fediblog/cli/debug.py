"""`fediblog debug …`: what other servers say to us, step by step, and why we do not believe a request.

Nothing of what is fetched is kept, but for the key of whoever signed a request.
"""

import sys
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from fediblog import moments, text
from fediblog.activitypub import actor_keys, client, signatures, webfinger
from fediblog.activitypub.signatures import Signed
from fediblog.cli import shell
from fediblog.config import settings
from fediblog.errors import FediblogError, Malformed

commands = shell.group("What other servers say, and why we do not believe it.")

_LONGEST_FILE = 2 * 1024 * 1024
_T = TypeVar("_T")


class Failed(Exception):
    """A step did not succeed; what was found out before it, and the sentence about it."""

    def __init__(self, found: dict[str, Any], sentence: str) -> None:
        super().__init__(sentence)
        self.found = found


@commands.command("webfinger")
def webfinger_(
    handle: Annotated[str, typer.Argument(help="@name@server.example")], json: shell.Json = False
) -> None:
    """Ask whose handle that is, in both directions."""
    wanted = webfinger.handle(handle)
    if wanted is None:
        raise typer.BadParameter("A handle looks like @name@server.example.")
    _run(lambda: _follow(wanted), json)


@commands.command()
def fetch(
    url: Annotated[str, typer.Argument(help="The address of a post or an account, its page will do.")],
) -> None:
    """Print what another server says to us about an address: signed for as we always do."""

    async def act() -> dict[str, Any]:
        await _step({}, "fetch", lambda: webfinger.check_host(url))
        return await _step({}, "fetch", lambda: client.get(url))

    _run(act, json=True)


@commands.command("verify-signature")
def verify_signature(
    file: Annotated[Path, typer.Argument(help="A request as it came over the wire; - is stdin.")],
    key: Annotated[Path | None, typer.Option(help="A public key as PEM, instead of asking for it.")] = None,
    as_sent: Annotated[
        bool, typer.Option("--as-sent", help="Judge it as on the day on which it was signed.")
    ] = False,
    json: shell.Json = False,
) -> None:
    """Say which check a signed request fails, or that it is good."""
    raw, pem = _bytes(file), _bytes(key).decode("ascii", "replace") if key else ""
    _run(lambda: _verify(raw, pem, as_sent), json)


# ------------------------------------------------------------------------------------------------ webfinger


async def _follow(wanted: webfinger.Handle) -> dict[str, Any]:
    found: dict[str, Any] = {"asked": str(wanted)}
    said = await _step(found, "the handle's host", lambda: webfinger.ask(wanted))
    found |= {"subject": str(said.subject), "actor": said.actor_uri}
    actor = await _step(found, "the actor", lambda: client.get(said.actor_uri))
    name, claimed = str(actor.get("preferredUsername", "")), str(actor.get("webfinger", ""))
    found |= {"type": actor.get("type"), "name": name, "inbox": actor.get("inbox")}
    own = await _step(
        found, "the way back", lambda: webfinger.confirm(said.actor_uri, name, claimed, heard=said)
    )
    if own is None:
        raise Failed(found, "the way back: the actor's own host does not say that the handle is its own.")
    found["confirmed"] = str(own)
    if own.key != said.subject.key:
        raise Failed(found, f"the way back: the actor that {wanted} leads to is called {own}.")
    return found


# ------------------------------------------------------------------------------------------------ signatures


async def _verify(raw: bytes, pem: str, as_sent: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    request = _checked(found, "the signature can be read", lambda: _request(raw))
    claim = request.claim
    found |= {
        "scheme": claim.scheme.value,
        "key": claim.key_id,
        "covers": " ".join(claim.covered),
        "algorithm": claim.algorithm or "(the key's own)",
    }
    now = _moment(request) if as_sent else moments.now()
    checks = "it covers what it must, is for us, is fresh, and the digest is right"
    _checked(found, checks, lambda: signatures.examine(request, now))
    if not pem:
        holder = await _step(found, "the key", lambda: actor_keys.get(claim.key_id))
        found["owner"], pem = holder.owner, holder.pem
    _checked(found, "the key has signed it", lambda: signatures.verify(request, pem, now))
    return found


def _request(raw: bytes) -> Signed:
    """A request out of its bytes; lines may end as editors end them. Raises Malformed, signatures.Refused."""
    head, gap, body = raw.partition(b"\r\n\r\n") if b"\r\n\r\n" in raw else raw.partition(b"\n\n")
    first, *lines = head.decode("latin-1").splitlines() or [""]
    words = first.split(" ")
    if not gap or len(words) < 2 or not words[1].startswith("/") or not all(":" in line for line in lines):
        raise Malformed("That is no request: `POST /ap/inbox HTTP/1.1`, headers, an empty line, the body.")
    headers = [(name.strip(), value) for name, _, value in (line.partition(":") for line in lines)]
    return signatures.received(words[0], words[1], settings().origin, headers, body)


def _moment(request: Signed) -> int:
    """When it was signed, as far as it says."""
    if request.claim.created is not None:
        return request.claim.created * moments.SECOND
    try:
        return round(parsedate_to_datetime(request.headers.get("date", "")).timestamp() * moments.SECOND)
    except ValueError:
        return moments.now()


# ------------------------------------------------------------------------------------------------ steps


def _run(act: Callable[[], Awaitable[dict[str, Any]]], json: bool) -> None:
    """Do it and print all that was found out, also when it ended badly."""

    async def inside() -> tuple[dict[str, Any], str]:
        try:
            return await act(), ""
        except Failed as failure:
            return failure.found, str(failure)

    found, fault = shell.in_house(inside)
    if found:
        values = {**found, "fault": fault} if fault else found
        # What a stranger wrote must not steer the terminal.
        shell.show_one(values if json else {name: _harmless(value) for name, value in values.items()}, json)
    if fault:
        shell.fail(fault)


async def _step(found: dict[str, Any], name: str, act: Callable[[], Awaitable[_T]]) -> _T:
    try:
        return await act()
    except FediblogError as error:
        raise Failed(found, f"{name}: {_explained(error)}") from error


def _checked(found: dict[str, Any], name: str, act: Callable[[], _T]) -> _T:
    try:
        result = act()
    except FediblogError as error:
        raise Failed({**found, name: "no"}, _explained(error)) from error
    found[name] = "yes"
    return result


def _harmless(value: Any) -> str:
    return "" if value is None else text.tidy(str(value))


def _explained(error: FediblogError) -> str:
    """The sentence for strangers, and what an admin may know besides."""
    details = [str(getattr(error, name)) for name in ("reason", "status") if getattr(error, name, None)]
    return f"{error.message} ({', '.join(details)})" if details else error.message


def _bytes(file: Path) -> bytes:
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        shell.fail(f"{file} cannot be read: {error.strerror}.")
    if len(content) > _LONGEST_FILE:
        shell.fail(f"{file} is too large to be a request.")
    return content
