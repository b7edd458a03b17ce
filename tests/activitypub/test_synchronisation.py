"""Both sides of a follow agree about it (FEP-8fcf)."""

from hashlib import sha256
from typing import Any

import pytest

from fediblog import db
from fediblog.activitypub import synchronisation
from fediblog.config import Config
from fediblog.models import Account
from fediblog.services import events, follows, shared_followers
from fediblog.services.events import Event
from tests.activitypub.asking import Asker
from tests.harness import apps
from tests.harness.fediverse import Fediverse, Node, Peer
from tests.people import person, remote
from tests.services.making import owed

LIST = "https://remote.example/users/rita/followers_synchronization?here"


@pytest.fixture
def peer(fediverse: Fediverse) -> Peer:
    """The other server."""
    return fediverse.server("remote.example")


@pytest.fixture
async def rita(database: None) -> Account:
    """Somebody elsewhere whom people here follow."""
    return await remote("rita", "remote.example")


async def agreed(follower: Account, target: Account) -> None:
    """A follow that both sides know."""
    await follows.follow(follower, target)
    if not target.local:
        await follows.accept(target, follower.id)


def digest(*uris: str) -> str:
    """As the FEP has it."""
    mixed = bytes(32)
    for uri in uris:
        mixed = bytes(a ^ b for a, b in zip(mixed, sha256(uri.encode()).digest(), strict=True))
    return mixed.hex()


def said(account: Account, *uris: str, **more: str) -> str:
    """The header as the other server writes it."""
    fields = {"collectionId": account.followers_uri, "url": LIST, "digest": digest(*uris), **more}
    return ", ".join(f'{name}="{value}"' for name, value in fields.items())


# ------------------------------------------------------------------------------------------------------- out


async def test_the_header_says_whom_we_take_for_followers_there(alice: Account, bob: Account) -> None:
    rita, romy = await remote("rita", "remote.example"), await remote("romy", "remote.example")
    for follower in (rita, romy, bob, await remote("ted", "third.example")):
        await agreed(follower, alice)
    header = await synchronisation.header(alice, "remote.example")
    assert header == (
        f'collectionId="{alice.followers_uri}", url="{alice.followers_uri}/synchronisation",'
        f' digest="{digest(rita.uri, romy.uri)}"'
    )
    assert f'digest="{"0" * 64}"' in await synchronisation.header(alice, "nobody.example")


async def test_the_example_of_the_proposal(database: None) -> None:
    found = synchronisation.digest_of(
        ["https://testing.example.org/users/1", "https://testing.example.org/users/2"]
    )
    assert found == "c33f48cd341ef046a206b8a72ec97af65079f9a3a9b90eef79c5920dce45c61f"


async def test_each_server_is_told_of_its_own_people_alone(
    alice: Account, peer: Peer, config: Config, fediverse: Fediverse
) -> None:
    asker = Asker(apps.shared(config), peer)
    actor = peer.actor("rita")
    for name, domain in (("rita", "remote.example"), ("ted", "third.example"), ("r", "remote.example.evil")):
        await agreed(await remote(name, domain), alice)
    path = synchronisation.address(alice)
    document = await asker.get(path, actor)
    assert document["orderedItems"] == [actor["id"]]
    assert (await asker.send(path)).status_code == 401


# -------------------------------------------------------------------------------------------------------- in


async def test_what_agrees_is_not_asked_for(alice: Account, rita: Account) -> None:
    await agreed(alice, rita)
    await synchronisation.check(rita, said(rita, alice.uri))
    assert await owed("synchronise") == []


async def test_what_differs_is_asked_for_once_an_hour(alice: Account, rita: Account) -> None:
    await agreed(alice, rita)
    await synchronisation.check(rita, said(rita))
    assert await owed("synchronise") == [f"{rita.id} {LIST}"]
    async with db.transaction():
        await db.execute("DELETE FROM work")
    await synchronisation.check(rita, said(rita))
    assert await owed("synchronise") == []
    async with db.transaction():
        await db.execute("UPDATE account SET synchronised_at = synchronised_at - 3600000")
    await synchronisation.check(rita, said(rita))
    assert await owed("synchronise") != []


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        'collectionId="https://remote.example/users/romy/followers", url="{url}", digest="{digest}"',
        'collectionId="{id}", url="https://evil.example/list", digest="{digest}"',
        'collectionId="{id}", url="http://remote.example/list", digest="{digest}"',
        'collectionId="{id}", url="{url}", digest="zz"',
        'collectionId="{id}", url="{url}"',
        'collectionId="{id}", collectionId="{id}", url="{url}", digest="{digest}"',
        'collectionId="{id}", url="{url}", digest="{digest}"' + " " * 5000,
    ],
)
async def test_a_header_that_makes_no_sense_does_nothing(alice: Account, rita: Account, header: str) -> None:
    made = header.format(id=rita.followers_uri, url=LIST, digest="f" * 64)
    await synchronisation.check(rita, made)
    assert await owed("synchronise") == []


async def test_follows_are_brought_in_line(
    alice: Account, bob: Account, carol: Account, rita: Account, peer: Peer
) -> None:
    dora = await person("dora")
    await agreed(alice, rita)
    await agreed(bob, rita)
    await follows.follow(carol, rita)
    async with db.transaction():
        await db.execute("UPDATE follow SET created_at = created_at - 1000")
        await db.execute("DELETE FROM event")
    listed = [alice.uri, carol.uri, dora.uri, "https://third.example/u/1", "http://localhost:8000/ap/posts/1"]
    _keep(peer, items=listed)
    await synchronisation.reconcile(f"{rita.id} {LIST}")
    assert set(await shared_followers.here(rita)) == {alice.uri, carol.uri}
    assert [event.kind for event in await events.waiting(dora.id, 9)] == [Event.FOLLOW_ENDED]
    for account in (alice, bob, carol):
        assert await events.waiting(account.id, 9) == []


async def test_a_follow_that_began_meanwhile_stays(alice: Account, rita: Account, peer: Peer) -> None:
    await agreed(alice, rita)
    async with db.transaction():
        await db.execute("UPDATE follow SET created_at = created_at + 60000")
    _keep(peer, items=[])
    await synchronisation.reconcile(f"{rita.id} {LIST}")
    assert await shared_followers.here(rita) == [alice.uri]


@pytest.mark.parametrize(
    "document",
    [
        {"type": "Note", "attributedTo": "https://remote.example/users/rita"},
        {"first": LIST + "&page=1"},
        {"next": LIST + "&page=2", "items": []},
        {"orderedItems": [], "id": "https://remote.example/other"},
        {},
        None,
    ],
)
async def test_what_is_no_whole_list_changes_nothing(
    alice: Account, rita: Account, peer: Peer, document: Node | None
) -> None:
    await agreed(alice, rita)
    async with db.transaction():
        await db.execute("UPDATE follow SET created_at = created_at - 1000")
    if document is not None:
        _keep(peer, **document)
    await synchronisation.reconcile(f"{rita.id} {LIST}")
    assert await shared_followers.here(rita) == [alice.uri]


async def test_who_is_gone_or_refused_is_not_asked(alice: Account, rita: Account, peer: Peer) -> None:
    await agreed(alice, rita)
    async with db.transaction():
        await db.execute(
            "INSERT INTO domain_policy (id, domain, level, created_at) VALUES (1, $1, 'suspend', 0)",
            "remote.example",
        )
    await synchronisation.reconcile(f"{rita.id} {LIST}")
    await synchronisation.reconcile(f"1 {LIST}")
    assert peer.asked == []


def _keep(peer: Peer, **document: Any) -> None:
    made = {"id": LIST, "type": "OrderedCollection", **document}
    peer.documents[LIST] = made
