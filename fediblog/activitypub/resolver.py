"""From a handle or an address to the account or post that it names, fetched if it is not known yet.

What is ours is looked up and never fetched; what is known is not fetched again; what is fetched is believed
only from where it has authority (`client.get`). Whoever is asked for comes with what is needed to show it: a
post with its author and with what it answers, within the budget of one event.
"""

from dataclasses import replace
from functools import partial

from fediblog import db, http, uris
from fediblog.activitypub import client, ownership, reading, webfinger
from fediblog.activitypub.budgets import MOST_PARENTS, Budget, memory
from fediblog.activitypub.compact import Node
from fediblog.activitypub.ownership import Forged, Reason
from fediblog.activitypub.vocabulary import ACTORS, POSTS, id_of
from fediblog.activitypub.webfinger import Finding, Handle
from fediblog.config import settings
from fediblog.errors import Conflict, Forbidden, Gone, Invalid, NoSpace, NotFound, Unavailable
from fediblog.models import Account, Post, Visibility
from fediblog.queue import Job
from fediblog.services import accounts, names, receiving, remote_accounts, visibility, work
from fediblog.services.incoming import IncomingAccount, IncomingPost, IncomingVote

# What another server may do wrong; the database's own troubles are not among it.
TROUBLE = (http.Outside, NotFound, Forbidden, Invalid, Conflict)

# Activities whose address people paste when they mean the post in it.
_CARRIERS = ("Create", "Announce")


async def account(handle: str) -> Account:
    """The account that `name`, `@name` or `name@host` means, by WebFinger when need be (FEDERATION §1.4).

    Raises NotFound when there is none, Forbidden for a server that is blocked here, http.Outside, Malformed
    and Forged for what its server says.
    """
    wanted = webfinger.handle(handle)
    if wanted is None or wanted.domain == settings().domain:
        return await accounts.lookup(handle)
    known = await accounts.find(wanted.username, wanted.domain)
    if known is not None and remote_accounts.is_fresh(known):
        return known
    try:
        heard = await webfinger.ask(wanted)
        return await _store_actor(await document(heard.actor_uri), heard)
    except http.Outside:
        if known is None:
            raise
        return known


async def actor(uri: str, refresh: bool = False) -> Account:
    """The account with this address. One that is known is not fetched, unless `refresh` asks for it.

    Raises NotFound for what is no actor, Gone, and as `account` does.
    """
    if ownership.is_ours(uri):
        return await _ours(uri)
    known = await Account.get_or_none(uri=uri)
    if known is not None and known.deleted_at is not None:
        raise Gone
    if known is not None and not refresh:
        await remote_accounts.want_fresh(known)
        return known
    try:
        return await _store_actor(await document(uri))
    except http.Unwelcome as refusal:
        if known is not None and refusal.status == 410:
            await remote_accounts.gone(known)
            raise Gone from refusal
        raise


async def post(uri: str, budget: Budget | None = None) -> Post | None:
    """The post with this address, fetched with what it answers when it is not known.

    None when it is deleted or no post. Raises as `account` does.
    """
    if ownership.is_ours(uri):
        return await _our_post(uri)
    known = await Post.get_or_none(uri=uri)
    if known is not None:
        return known
    budget = budget or Budget()
    node = await document(uri, budget)
    found = None if node.get("type") in ACTORS else await take(node, budget)
    return found if isinstance(found, Post) else None


async def store_post(node: Node, author: Account, activity: Node | None = None) -> Post | None:
    """Take in a document that may be believed: it was fetched, or embedded by its owner. Votes are counted.

    None for a vote, and for what is deleted or no post. Raises Forged when it is not the author's, Malformed;
    for a vote as `receiving.vote` does.
    """
    if node.get("type") not in POSTS:
        return None
    incoming = _read(node, author, activity)
    if isinstance(incoming, IncomingVote):
        if activity is not None:
            await receiving.vote(author, incoming)
        return None
    return await _take_in(author, incoming, Budget(), sent=activity is not None)


async def take(node: Node, budget: Budget) -> Account | Post | None:
    """Take in a document that was fetched: an account, or a post with what it answers.

    Of a Create or a boost: the post in it. None for what is deleted, or neither. Raises as `account` does.
    """
    if node.get("type") in ACTORS:
        return await _store_actor(node)
    if node.get("type") in _CARRIERS and (inner := id_of(node.get("object"))):
        if ownership.is_ours(inner):
            return await _our_post(inner)
        node = await document(inner, budget)
    found = await _understood(node, budget)
    if found is None:
        return await Post.get_or_none(uri=node["id"])
    return await _take_in(*found, budget)


async def find(text: str, viewer: Account | None) -> Account | Post | None:
    """What somebody typed or pasted into the search: a handle, or the address of a profile or a post.

    None when it is nothing of that kind, or nothing that the viewer may see. For nobody nothing is fetched.
    Raises as `account` does.
    """
    typed = text.strip()
    if typed.startswith(("https://", "http://")):
        found = await _by_address(typed, viewer)
    elif "@" in typed:
        found = await (account(typed) if viewer else accounts.lookup(typed))
    else:
        return None
    if isinstance(found, Post) and not await visibility.may_see(viewer, found):
        return None
    if found is not None and viewer is not None:
        await look_around(found)
    return found


async def look_around(found: Account | Post) -> bool:
    """Owe a look at what belongs to something elsewhere: a post's answers, an account's pins and new posts.

    Nobody waits for it. Gives whether it is owed by this call: not again before a while is over, and not for
    what is shown to few, which its server would not show to us either.
    """
    hidden = isinstance(found, Post) and found.visibility > Visibility.UNLISTED
    if found.local or hidden or not settings().federation.enabled or not memory().looks.take(found.uri):
        return False
    try:
        async with db.transaction():
            await work.owe(Job.RESOLVE, found.uri)
    except (NoSpace, Unavailable):
        return False  # Who reads goes on reading.
    return True


async def document(uri: str, budget: Budget | None = None) -> Node:
    """A document from its own server; whoever wants it at the same time gets it by one fetch.

    Raises Forbidden for a server that is blocked here, or ours, http.Outside (also when the budget is spent),
    Malformed and Forged.
    """
    await webfinger.check_host(uri)
    if budget is not None:
        budget.spend()
    node = await memory().documents.get(uri, partial(client.get, uri))
    await webfinger.check_host(node["id"])
    return node


# ----------------------------------------------------------------------------------------------- accounts


async def _ours(uri: str) -> Account:
    match uris.local(uri):
        case ("accounts", number):
            return await accounts.get(number)
    raise NotFound


async def _store_actor(node: Node, heard: Finding | None = None) -> Account:
    """Keep an actor under the handle that its host confirms; `heard` is what led to it by a handle."""
    if node.get("type") not in ACTORS:
        raise NotFound("That is not an account.")
    incoming = reading.account(node)
    if incoming.uri != node["id"]:
        raise Forged(Reason.OWNER)
    host = ownership.host(incoming.uri)
    claimed = node.get("webfinger")
    claimed = claimed if isinstance(claimed, str) else ""
    if heard is None and await _has_its_handle(incoming, claimed):
        return await remote_accounts.store(replace(incoming, domain=host))
    confirmed = await webfinger.confirm(incoming.uri, incoming.username, claimed, heard)
    if heard is not None and (confirmed is None or confirmed.key not in (heard.asked.key, heard.subject.key)):
        # `@ceo@evil` that leads to somebody else's account is nobody's handle.
        raise Forged(Reason.OWNER)
    domain = confirmed.domain if confirmed else host
    return await remote_accounts.store(replace(incoming, domain=domain), confirmed is not None)


async def _has_its_handle(incoming: IncomingAccount, claimed: str) -> bool:
    """Whether a known account still says the same of its handle: then nobody need be asked."""
    known = await Account.get_or_none(uri=incoming.uri)
    if known is None or names.key(known.username) != names.key(incoming.username):
        return False
    wanted = webfinger.handle(claimed)
    return wanted is None or wanted == Handle(known.username, known.domain)


# -------------------------------------------------------------------------------------------------- posts


async def _our_post(uri: str) -> Post | None:
    match uris.local(uri):
        case ("posts", number):
            return await Post.get_or_none(id=number)
    return None


async def _understood(node: Node, budget: Budget) -> tuple[Account, IncomingPost] | None:
    """The author and the post in a fetched document. None when it is known by now, a vote, or no post."""
    if node.get("type") not in POSTS or await Post.exists(uri=node["id"]):
        return None
    author = await _author(ownership.owner_of(node), budget)
    incoming = _read(node, author, None)
    return (author, incoming) if isinstance(incoming, IncomingPost) else None


async def _author(uri: str, budget: Budget) -> Account:
    if not await Account.exists(uri=uri):
        budget.spend()
    return await actor(uri)


def _read(node: Node, author: Account, activity: Node | None) -> IncomingPost | IncomingVote:
    incoming = reading.post(node, activity, author.followers_uri)
    if incoming.author_uri != author.uri:
        raise Forged(Reason.OWNER)
    return incoming


async def _take_in(
    author: Account, incoming: IncomingPost, budget: Budget, sent: bool = False
) -> Post | None:
    if author.suspended_at is not None:
        return None
    await _climb(incoming.reply_to_uri, incoming.uri, budget)
    await _climb(incoming.quote_uri, incoming.uri, budget, most=1)
    return await receiving.receive(author, incoming, sent)


async def _climb(uri: str, below: str, budget: Budget, most: int = MOST_PARENTS) -> None:
    """Take in what a post answers, and what that answers, from the top down: so each finds its parent.

    It ends at what is known, at what cannot be had, and with the budget: the rest is an orphan until somebody
    brings its parent (SECURITY §4, CVE-2022-46405).
    """
    chain: list[tuple[Account, IncomingPost]] = []
    passed = {below}
    while uri and uri not in passed and len(chain) < most and budget.parents > 0:
        passed.add(uri)
        budget.parents -= 1
        step = await _step(uri, budget)
        if step is None:
            break
        chain.append(step)
        uri = step[1].reply_to_uri
    for author, incoming in reversed(chain):
        await receiving.receive(author, incoming, sent=False)


async def _step(uri: str, budget: Budget) -> tuple[Account, IncomingPost] | None:
    """A post further up with its author; None where the way ends."""
    if ownership.is_ours(uri) or await Post.exists(uri=uri):
        return None
    try:
        if not memory().hosts.take(ownership.origin(uri)):
            return None
        found = await _understood(await document(uri, budget), budget)
    except TROUBLE:
        return None
    return None if found is None or found[0].suspended_at is not None else found


# ------------------------------------------------------------------------------------------------- search


async def _by_address(url: str, viewer: Account | None) -> Account | Post | None:
    if ownership.is_ours(url):
        return await _behind_page(url)
    known = await Post.get_or_none(uri=url) or await Account.get_or_none(uri=url, deleted_at=None)
    if known is not None or viewer is None:
        return known
    budget = Budget()
    return await take(await document(url, budget), budget)


async def _behind_page(url: str) -> Account | Post | None:
    """What an address of ours shows: an identity, or a page."""
    match uris.local(url), uris.page(url):
        case ("posts", number), _:
            return await Post.get_or_none(id=number)
        case ("accounts", number), _:
            return await accounts.get(number)
        case _, (username, domain, None):
            return await accounts.find(username, domain)
        case _, (_, _, int(number)):
            return await Post.get_or_none(id=number)
    return None
