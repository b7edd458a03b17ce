"""WebFinger: from a handle to an actor, and whether an actor's own host says that the handle is its own.

RFC 7033, and host-meta (RFC 6415) where a server has its WebFinger elsewhere. What one host says about
another is only a hint: a handle counts when both sides say the same (FEDERATION §1.3, §1.4).
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fediblog import hosts, http
from fediblog.activitypub import compact, ownership
from fediblog.activitypub.budgets import memory
from fediblog.activitypub.ownership import Forged, Reason
from fediblog.activitypub.vocabulary import JRD_JSON, as_list, is_activity_type
from fediblog.config import settings
from fediblog.errors import Forbidden, Malformed, NotFound
from fediblog.remembering import Recent
from fediblog.services import domains
from fediblog.text.markup import Start, tokens

_JSON = (JRD_JSON, "application/json")
_XRD = ("application/xrd+xml", "application/xml", "text/xml")
_MOST_BYTES = 128 * 1024

_HANDLE = re.compile(r"@?(?P<username>[A-Za-z0-9_.-]{1,200})@(?P<domain>[^\s@/?#]{1,260})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Handle:
    """`name@host`; the host in lower-case ASCII, with its port where there is one."""

    username: str
    domain: str

    @property
    def key(self) -> tuple[str, str]:
        """What all spellings of one handle have in common."""
        return self.username.casefold(), self.domain

    def __str__(self) -> str:
        return f"{self.username}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Finding:
    """What the host of `asked` says: how the handle is really written, and which actor has it.

    On Lemmy somebody and a community may share a name: the first of the actors has it, the others too.
    """

    asked: Handle
    subject: Handle
    actors: tuple[str, ...]

    @property
    def actor_uri(self) -> str:
        """The first of the actors."""
        return self.actors[0]


def handle(text: str) -> Handle | None:
    """`name@host`, `@name@host` or `acct:name@host` taken apart; None for anything else."""
    found = _HANDLE.fullmatch(text.strip().removeprefix("acct:"))
    if found is None:
        return None
    try:
        return Handle(found["username"], hosts.to_ascii(found["domain"]))
    except ValueError:
        return None


async def ask(wanted: Handle) -> Finding:
    """What the host of a handle says about it, which is not yet the truth (`confirm`).

    Raises NotFound when nobody there has that name, Forbidden for a server that is blocked or ours,
    http.Outside when it cannot be asked, Malformed and Forged for what it says.
    """
    try:
        return _finding(wanted, compact.read(await document(wanted)))
    except http.Unwelcome as refusal:
        if refusal.status in (404, 410):
            raise NotFound(f"There is nobody called @{wanted}.") from refusal
        raise


async def confirm(
    actor_uri: str, username: str, claimed: str = "", heard: Finding | None = None
) -> Handle | None:
    """The handle of an actor that calls itself `username`; None when its host does not know WebFinger.

    `claimed` is what the actor says its handle is (FEP-2c59), `heard` what has been asked already. Raises
    Forged when its host says that the name is somebody else's, Forbidden when it says that it is one of a
    server that is blocked here, http.Outside when its host cannot be asked.
    """
    own = Handle(username, ownership.host(actor_uri))
    if actor_uri.startswith("http:"):
        _plain.put(own.domain, True, _DAY)
    for claim in _claims(own, claimed):
        if heard and heard.asked.key == claim.key:
            said: Finding | None = heard
        elif claim is own or memory().led.take(claim.domain):
            said = await _said(claim, own)
        else:
            said = None  # A third host that is named again and again is asked no more often than others.
        if said is not None and actor_uri in said.actors:
            if await _agree(said, actor_uri):
                return said.subject
        elif said is not None and claim is own:
            raise Forged(Reason.OWNER)
    return None


async def check_host(url: str) -> None:
    """Raises Forbidden for an address on a server that is blocked here, or on ours: that is in our database.

    Raises Forged for what is no address of the web.
    """
    ownership.check_foreign(url)
    domain = ownership.host(url)
    if domain == settings().domain or await domains.refused(domain):
        raise Forbidden("That server cannot be asked from here.")


def _claims(own: Handle, claimed: str) -> Iterator[Handle]:
    other = handle(claimed)
    if other is not None and other.domain != own.domain and other.username.casefold() == own.key[0]:
        yield other
    yield own


async def _said(claim: Handle, own: Handle) -> Finding | None:
    """What a host says. That another host is silent only means that the claim does not hold."""
    try:
        return await ask(claim)
    except (NotFound, Malformed, http.Unwelcome):
        return None
    except (Forbidden, http.Outside):
        if claim is own:
            raise
        return None


async def _agree(said: Finding, actor_uri: str) -> bool:
    """Whether the host of the subject says the same, where one host answers for another (split domains).

    Raises Forbidden when that host is blocked here: whoever lives elsewhere under its name is its own.
    """
    subject = said.subject
    if subject.key == said.asked.key:
        return True
    if subject.key[0] != said.asked.key[0]:
        return False
    rule = await domains.policy(subject.domain)
    # Whom only the allow-list does not name has not been shut out: their host, which it names, is believed.
    if rule.refused and rule is not domains.REFUSED:
        raise Forbidden("That server cannot be asked from here.")
    other = await _said(subject, said.asked)
    return other is not None and actor_uri in other.actors and other.subject.key == subject.key


# ------------------------------------------------------------------------------------------------ documents


def _finding(wanted: Handle, jrd: dict[str, Any]) -> Finding:
    """What a document says. Without a subject it is about what was asked for (RFC 7033 §4.4.1)."""
    subject = jrd.get("subject")
    written = handle(subject) if isinstance(subject, str) and subject.startswith("acct:") else None
    links = [link for link in as_list(jrd.get("links")) if isinstance(link, dict)]
    actors = [str(link.get("href")) for link in links if _is_actor(link)]
    if not actors:
        raise NotFound(f"@{wanted} cannot be followed from here.")
    for actor_uri in actors:
        ownership.check_foreign(actor_uri)
    return Finding(wanted, written or wanted, tuple(actors))


def _is_actor(link: dict[str, Any]) -> bool:
    return link.get("rel") == "self" and is_activity_type(str(link.get("type")))


async def document(wanted: Handle) -> bytes:
    """The document about a handle, from where its host has it. Raises http.Outside, Forbidden, Forged."""
    resource = quote(f"acct:{wanted}", safe=":@")
    if template := _templates.get(wanted.domain):
        with suppress(http.Outside):  # It may have moved.
            return await _fetch(template.replace("{uri}", resource))
    address = f"/.well-known/webfinger?resource={resource}"
    try:
        return await _from_host(wanted.domain, address, _JSON)
    except http.Unwelcome as refusal:
        # Those that have it elsewhere say so in host-meta (FEDERATION §1.3).
        template = await _template(wanted.domain) if refusal.status < 500 else None
        if template is None or template.replace("{uri}", resource).endswith(wanted.domain + address):
            raise
    found = await _fetch(template.replace("{uri}", resource))
    _templates.put(wanted.domain, template, _DAY)
    return found


async def _template(domain: str) -> str | None:
    """Where host-meta says that WebFinger is; None when it says nothing of use."""
    try:
        body = await _from_host(domain, "/.well-known/host-meta", (*_XRD, *_JSON))
        links = list(_links(body))
    except (http.Unwelcome, Malformed):
        return None
    for link in links:
        template = link.get("template")
        if link.get("rel") == "lrdd" and isinstance(template, str) and template.count("{uri}") == 1:
            return template
    return None


def _links(body: bytes) -> Iterator[dict[str, Any]]:
    """The links of a host-meta, in XML or in JSON. Of XML only the tags are read: no entity is opened."""
    if body.lstrip().startswith(b"{"):
        yield from (link for link in as_list(compact.read(body).get("links")) if isinstance(link, dict))
        return
    for token in tokens(body.decode("utf-8", "replace")):
        if isinstance(token, Start) and token.name == "link":
            yield dict(token.attributes)


async def _from_host(domain: str, path: str, accept: tuple[str, ...]) -> bytes:
    """From the host itself: by https, in labs where that is allowed also by http."""
    may_be_plain = settings().federation.allow_http
    if not (may_be_plain and _plain.get(domain)):
        try:
            return await _fetch(f"https://{domain}{path}", accept)
        except http.Unreachable:
            if not may_be_plain:
                raise
    return await _fetch(f"http://{domain}{path}", accept)


async def _fetch(url: str, accept: tuple[str, ...] = _JSON) -> bytes:
    await check_host(url)
    return (await http.fetch(url, accept=accept, most_bytes=_MOST_BYTES)).body


# Where hosts have their WebFinger, for a day, the latest thousand.
_DAY = 24 * 3600.0
_templates: Recent[str] = Recent(1_000)
# Hosts of a lab whose actors have addresses without TLS: their WebFinger is there as well.
_plain: Recent[bool] = Recent(1_000)
