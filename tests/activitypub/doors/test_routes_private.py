"""What is not for everybody: who must sign, and who sees what then (FEDERATION §7.5, SECURITY §1.3)."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from fediblog import db, moments, uris
from fediblog.activitypub.signatures import sign
from fediblog.activitypub.vocabulary import ACTIVITY_JSON
from fediblog.app import create_app
from fediblog.config import Config
from fediblog.models import Account, Visibility
from fediblog.services import boosts, domains, posts
from fediblog.services.composing import Draft
from tests.activitypub.asking import BROWSES, Asker, follow
from tests.harness.fediverse import Fediverse
from tests.people import pair, remote

AUTHORIZED = {"federation__authorized_fetch": "true"}


# ---------------------------------------------------------------------------------------- what is not for all


@pytest.mark.parametrize("visibility", [Visibility.FOLLOWERS, Visibility.DIRECT])
async def test_a_private_post_is_there_for_whoever_signs_and_may_see_it(
    asker, alice, rita, as_rita, visibility
):
    thing = await posts.publish(alice, Draft("Psst @rita@remote.example", visibility=visibility))
    for path in (f"/ap/posts/{thing.id}", f"/ap/posts/{thing.id}/create", f"/@alice/{thing.id}"):
        await asker.get(path, status=404)
        answer = await asker.send(path, as_rita)
        assert answer.status_code == 200, path
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "Signature" in answer.headers["Vary"] and "Access-Control-Allow-Origin" not in answer.headers


async def test_a_follower_sees_what_is_for_followers_and_nobody_else_does(asker, alice, rita, as_rita):
    thing = await posts.publish(alice, Draft("Psst", visibility=Visibility.FOLLOWERS))
    direct = await posts.publish(alice, Draft("Psst", visibility=Visibility.DIRECT))
    await asker.get(thing.uri, as_rita, status=404)
    await follow(rita, alice)
    assert (await asker.get(thing.uri, as_rita))["to"] == [alice.followers_uri]
    await asker.get(direct.uri, as_rita, status=404)
    # Somebody else of the same server is somebody else.
    await remote("sam", "remote.example")
    await asker.get(thing.uri, asker.peer.actor("sam"), status=404)


async def test_nobody_can_tell_what_is_hidden_from_what_is_not_there(asker, alice, rita, as_rita):
    thing = await posts.publish(alice, Draft("Psst", visibility=Visibility.DIRECT))
    for by in (None, as_rita):
        answers = [await asker.send(f"/ap/posts/{number}", by) for number in (thing.id, thing.id + 1)]
        heads = [
            {name: value for name, value in answer.headers.items() if name.lower() != "x-request-id"}
            for answer in answers
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert heads[0] == heads[1] and await answers[0].get_data() == await answers[1].get_data()


async def test_a_signature_that_does_not_hold_is_none(asker, alice, rita, as_rita):
    thing = await posts.publish(alice, Draft("Psst @rita@remote.example", visibility=Visibility.DIRECT))
    other = await posts.publish(alice, Draft("Hello"))
    path = f"/ap/posts/{thing.id}"
    signed = asker.peer.signed_get(as_rita, path)
    elsewhere = asker.peer.signed_get(as_rita, f"/ap/posts/{other.id}")
    for headers in (
        elsewhere,
        signed | {"Date": "Sat, 01 Jan 2000 00:00:00 GMT"},
        signed | {"Signature": signed["Signature"].replace("remote.example", "localhost:8000")},
        signed | {"Signature": signed["Signature"].replace("rsa-sha256", "hmac-sha256")},
        signed | {"Signature": "garbage"},
        signed | {"Signature": 'keyId="https://nowhere.example/x#main-key",signature="AAAA"'},
        signed | {"Host": "other.example"},
    ):
        headers = {name.replace("-", "_"): value for name, value in headers.items()}
        assert (await asker.send(path, **headers)).status_code == 404
        # What is for everybody is there all the same.
        assert (await asker.send(f"/ap/posts/{other.id}", **headers)).status_code == 200


async def test_a_key_nobody_knew_is_asked_for(asker, alice, fediverse):
    made = asker.peer.actor("tim")
    thing = await posts.publish(alice, Draft("Psst", visibility=Visibility.FOLLOWERS))
    await asker.get(thing.uri, made, status=404)
    tim = await Account.get(uri=made["id"])
    await follow(tim, alice)
    assert (await asker.get(thing.uri, made))["id"] == thing.uri


async def test_a_suspended_or_blocked_reader_sees_what_strangers_see(asker, alice, rita, as_rita):
    thing = await posts.publish(alice, Draft("Psst @rita@remote.example", visibility=Visibility.DIRECT))
    await asker.get(thing.uri, as_rita)
    async with db.transaction():
        await db.execute(
            "INSERT INTO block (account_id, target_id, id, uri, created_at) VALUES ($1, $2, 1, 'x', 0)",
            *(alice.id, rita.id),
        )
    await asker.get(thing.uri, as_rita, status=404)
    async with db.transaction():
        await db.execute("DELETE FROM block WHERE account_id = $1", alice.id)
    await Account.filter(id=rita.id).update(suspended_at=moments.now())
    await asker.get(thing.uri, as_rita, status=404)


# ------------------------------------------------------------------------------------------- authorised fetch


@pytest.fixture
def guarded(configure: Callable[..., Config], fediverse: Fediverse) -> Asker:
    """Us, with `federation.authorized_fetch` on."""
    app = create_app(configure(**AUTHORIZED), open_house=False)
    return Asker(app, fediverse.server("remote.example"))


async def test_with_authorised_fetch_nobody_reads_without_a_signature(guarded, alice, rita):
    thing = await posts.publish(alice, Draft("Hello"))
    boost = await boosts.boost(alice, thing)
    as_rita = guarded.peer.actor("rita")
    for path in (
        alice.uri,
        thing.uri,
        boost.uri,
        uris.create_uri(thing.id),
        alice.outbox,
        alice.followers_uri,
        alice.featured_uri,
        f"{thing.uri}/replies",
        f"{thing.uri}/likes",
        "/@alice",
        f"/@alice/{thing.id}",
    ):
        await guarded.get(path, status=401)
        answer = await guarded.send(path, as_rita)
        assert answer.status_code == 200, path
        assert "Signature" in answer.headers["Vary"]
        assert answer.headers["Cache-Control"] == "private, no-store"


async def test_with_authorised_fetch_the_keys_and_the_names_stay_open(guarded, alice):
    for path in (
        "/ap/actor",
        "/.well-known/webfinger?resource=acct:alice@localhost:8000",
        "/.well-known/nodeinfo",
        "/nodeinfo/2.1",
        "/.well-known/host-meta",
    ):
        assert (await guarded.send(path)).status_code == 200, path


async def test_with_authorised_fetch_pages_stay_open(guarded, alice):
    thing = await posts.publish(alice, Draft("Hello"))
    assert (await guarded.send(alice.uri, **BROWSES)).status_code == 302
    assert (await guarded.send(f"/@alice/{thing.id}", **BROWSES)).status_code == 200


async def test_a_blocked_server_is_refused_before_anything_is_fetched(guarded, alice, fediverse):
    async with db.transaction():
        await db.execute(
            "INSERT INTO domain_policy (id, domain, level, created_at) VALUES (1, 'remote.example', $1, 0)",
            domains.Level.SUSPEND.value,
        )
    domains.forget()
    try:
        tim = guarded.peer.actor("tim")
        await guarded.get(alice.uri, tim, status=403)
        await guarded.get("/@alice", tim, status=403)
        assert guarded.peer.asked == []
        assert (await guarded.send("/ap/actor", tim)).status_code == 200
    finally:
        domains.forget()


async def test_a_signature_for_another_method_or_in_our_own_name_is_refused(guarded, alice, rita):
    as_rita = guarded.peer.actor("rita")
    path = f"/ap/accounts/{alice.id}"
    signed = {name.replace("-", "_"): value for name, value in guarded.peer.signed_get(as_rita, path).items()}
    assert (await guarded.send(path, method="HEAD", **signed)).status_code == 401
    own = sign("GET", uris.absolute(path), {"Accept": ACTIVITY_JSON}, None, alice.key_id, pair()[1])
    own = {name.replace("-", "_"): value for name, value in own.items()}
    assert (await guarded.send(path, **own)).status_code == 401


async def test_who_is_blocked_by_the_author_does_not_find_the_post(guarded, alice, rita):
    thing = await posts.publish(alice, Draft("Hello"))
    async with db.transaction():
        await db.execute(
            "INSERT INTO block (account_id, target_id, id, uri, created_at) VALUES ($1, $2, 1, 'x', 0)",
            *(alice.id, rita.id),
        )
    await guarded.get(thing.uri, guarded.peer.actor("rita"), status=404)


_COVERED = 'headers="(request-target) host date",signature="AAAA"'
_GARBAGE = [
    {"Signature": ""},
    {"Signature": "x" * 5000},
    {"Signature": 'keyId="x",signature="x"'},
    {"Signature": f'keyId="http://[::1/x",{_COVERED}'},
    {"Signature": f'keyId="https://remote.example/nobody#k",{_COVERED}'},
    {"Signature": f'keyId="https://localhost:8000/ap/actor#main-key",{_COVERED}'},
    {"Signature-Input": 'sig1=("@method" "@target-uri");created=1;keyid="x"', "Signature": "sig1=:AAAA:"},
    {"Signature-Input": "sig1=(", "Signature": "\xff"},
    {"Signature-Input": "x"},
    {"Date": "never", "Signature": f'keyId="https://a.example/k",{_COVERED}'},
    {"Accept": ACTIVITY_JSON + ";q=0.x, " + ACTIVITY_JSON, "If-None-Match": 'x,"y', "Range": "bytes=x"},
]


def _sent(garbage: dict[str, str]) -> dict[str, str]:
    made = {"Date": format_datetime(datetime.now(UTC), usegmt=True), **garbage}
    return {name.replace("-", "_"): value for name, value in made.items()}


@pytest.mark.parametrize("garbage", _GARBAGE)
async def test_garbage_in_headers_is_no_key_to_anything(asker, alice, garbage):
    thing = await posts.publish(alice, Draft("Psst", visibility=Visibility.FOLLOWERS))
    for path in (f"/ap/posts/{thing.id}", f"/@alice/{thing.id}"):
        assert (await asker.send(path, **_sent(garbage))).status_code == 404
    assert (await asker.send(f"/ap/accounts/{alice.id}", **_sent(garbage))).status_code == 200


@pytest.mark.parametrize("garbage", _GARBAGE)
async def test_with_authorised_fetch_garbage_is_refused(guarded, alice, garbage):
    for path in (f"/ap/posts/{alice.id}", f"/ap/accounts/{alice.id}", f"{alice.outbox}?page=true", "/@alice"):
        assert (await guarded.send(path, **_sent(garbage))).status_code in (401, 403), path


@pytest.mark.parametrize("visibility", [Visibility.FOLLOWERS, Visibility.DIRECT])
async def test_of_a_private_post_that_was_deleted_nobody_learns_that_it_was(asker, alice, visibility):
    thing = await posts.publish(alice, Draft("Psst", visibility=visibility))
    await posts.delete(alice, thing.id)
    await asker.get(f"/ap/posts/{thing.id}", status=404)
    # Its name is never used again all the same.
    assert await db.value("SELECT 1 FROM tombstone WHERE uri = $1", thing.uri)
