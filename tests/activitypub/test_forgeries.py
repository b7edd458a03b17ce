"""What forgers send to our door: every table stays as it was, whatever is answered (issue 3, item 4).

From the request on: signed, taken in or refused, handled, and every row compared. Who may bring what is in
test_inbox_door.py and test_inbox_keys.py, what handlers make of it in handlers/test_forgeries.py; here are
the ways around them. What others hand out when we ask is in test_forged_documents.py.
"""

import hmac
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import md5, sha1, sha256, sha512
from itertools import product
from typing import Any

import orjson
import pytest
from quart import Quart

from fediblog import db, moments
from fediblog.activitypub import compact, reading, resolver, senders
from fediblog.activitypub.budgets import MOST_PER_HOST
from fediblog.activitypub.handlers import HANDLERS
from fediblog.activitypub.inbox import processing
from fediblog.activitypub.signatures import Scheme, cavage, rfc9421, sign
from fediblog.activitypub.signatures.digests import content_digest, digest
from fediblog.activitypub.signatures.key_objects import private_key, signature_of
from fediblog.activitypub.signatures.messages import Claim, Request
from fediblog.activitypub.vocabulary import ACTIVITY_JSON
from fediblog.config import Config
from fediblog.models import Account
from fediblog.queue import Job
from fediblog.services import dropped, receiving
from tests.activitypub.handlers import test_forgeries as table
from tests.activitypub.handlers.stage import NOW, Someone, meet
from tests.activitypub.handlers.test_forgeries import PUBLIC, Stage, stage  # noqa: F401
from tests.activitypub.test_inbox_door import other_pair, post
from tests.harness import apps
from tests.harness.contents import Contents, contents
from tests.harness.fediverse import Fediverse, Node
from tests.people import pair
from tests.services.making import post as write

HERE = "http://localhost:8000"
INBOX = "/ap/inbox"
# Every forgery is answered in this time.
SECONDS = 3.0

Bring = Callable[..., Awaitable[int]]


@pytest.fixture
def app(config: Config, database: None) -> Quart:
    return apps.shared(config)


async def _meet(fediverse: Fediverse, name: str, domain: str) -> Someone:
    return await meet(fediverse, name, domain, featured=f"https://{domain}/users/{name}/featured")


@pytest.fixture
async def rita(fediverse: Fediverse) -> Someone:
    return await _meet(fediverse, "rita", "remote.example")


@pytest.fixture
async def nora(fediverse: Fediverse) -> Someone:
    return await _meet(fediverse, "nora", "remote.example")


@pytest.fixture
async def otto(fediverse: Fediverse) -> Someone:
    return await _meet(fediverse, "otto", "other.example")


@pytest.fixture
def bring(app: Quart) -> Bring:
    """Deliver a body with these headers; gives our status."""

    async def send(body: bytes, headers: dict[str, str], inbox: str = INBOX) -> int:
        started = time.monotonic()
        status: int = (await post(app, body, headers, inbox)).status_code
        assert time.monotonic() - started < SECONDS
        return status

    return send


# What came in, how often somebody asked, and when we last looked at somebody: all others must not change.
BESIDE = table.BESIDE | {"throttle"}


async def dump() -> Contents:
    """Every row of every table that may not change."""
    return await contents(BESIDE, {"account.fetched_at"})


def changed(before: Contents, after: Contents) -> str:
    """In what rows two dumps differ."""
    return "\n".join(
        f"{sign} {name} {row}"
        for sign, ones, others in (("-", before, after), ("+", after, before))
        for name, rows in ones.items()
        for row in rows
        if row not in others[name]
    )


@asynccontextmanager
async def nothing_changes() -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """What is brought within the block has had its effect after it, and there was none.

    The block may look earlier, too: `await still()`.
    """
    await senders.of_server()
    for known in await Account.filter(local=False):
        # A look at somebody that a forgery causes then finds what is known already.
        await resolver.actor(known.uri, refresh=True)
    before = await dump()

    async def still() -> None:
        await processing.drain()
        assert await db.column("SELECT error FROM inbox_item WHERE state <> 'done'") == []
        assert changed(before, await dump()) == ""

    yield still
    await still()


def signed(actor: Node, body: bytes, inbox: str = INBOX, **options: Any) -> dict[str, str]:
    key_id = options.pop("key_id", actor["publicKey"]["id"])
    secret = options.pop("secret", pair()[1])
    return sign("POST", HERE + inbox, {"Content-Type": ACTIVITY_JSON}, body, key_id, secret, **options)


def follow(someone: Someone, alice: Account) -> bytes:
    """Something that would have an effect at once."""
    return orjson.dumps(someone.activity("Follow", alice.uri))


# -------------------------------------------------------------- every verb, by every wrong actor, at the door


@pytest.mark.parametrize("kind", sorted(HANDLERS))
async def test_every_verb_by_every_wrong_actor_changes_nothing(stage, nora, otto, bring, kind):  # noqa: F811
    """In their own name only where the verb is nobody's but rita's or alice's; else in rita's and alice's."""
    activities = []
    for liar in (nora, otto):
        own = table.everything(stage, kind, liar) if kind not in table.ANYBODYS else []
        others = [
            {**activity, "actor": claimed, "id": name}
            for activity in table.everything(stage, kind, stage.rita)
            for claimed in (stage.rita.account.uri, stage.alice.uri)
            for name in (activity["id"], f"{liar.account.uri}/1", f"{HERE}/ap/activities/1", None)
        ]
        activities += [(liar, activity) for activity in (*own, *others)]
    async with nothing_changes():
        for liar, activity in activities:
            body = orjson.dumps(activity)
            assert await bring(body, signed(liar.document, body)) in (202, 400, 401, 403), activity


# -------------------------------------------------------------------------------------- what a signature says


def handmade(
    body: bytes, covered: tuple[str, ...], key_id: str, headers: dict[str, str], algorithm: str | None = None
) -> dict[str, str]:
    """A draft-cavage signature that covers what we like, over headers as we like them."""
    basics = {"host": "localhost:8000", "date": _date(), "digest": digest(body)} | headers
    lowered = {name.lower(): value for name, value in basics.items() if value}
    request = Request(method="POST", target=INBOX, origin=HERE, headers=lowered, body=body)
    claim = Claim(Scheme.CAVAGE, key_id, covered, b"", created=moments.now() // 1000)
    made = b64encode(signature_of(private_key(pair()[1]), cavage.base(request, claim, INBOX))).decode()
    named = f',algorithm="{algorithm}"' if algorithm else ""
    timed = f",created={claim.created}" if "(created)" in covered else ""
    value = f'keyId="{key_id}"{named}{timed},headers="{" ".join(covered)}",signature="{made}"'
    return {**lowered, "content-type": ACTIVITY_JSON, "signature": value}


def _date() -> str:
    return sign("GET", HERE, {}, None, "x", pair()[1])["Date"]


ALL = ("(request-target)", "host", "date", "digest")


async def test_a_handmade_signature_is_believed_when_it_says_all(rita, alice, bring):
    """Or the two tests below would prove nothing."""
    key_id = rita.document["publicKey"]["id"]
    for algorithm in (None, "rsa-sha256", "hs2019"):
        body = follow(rita, alice)
        assert await bring(body, handmade(body, ALL, key_id, {}, algorithm)) == 202
    for covered in (("(request-target)", "host", "(created)", "digest"), (*ALL, "content-type")):
        body = follow(rita, alice)
        headers = {"content-type": ACTIVITY_JSON}
        assert await bring(body, handmade(body, covered, key_id, headers, "hs2019")) == 202


@pytest.mark.once
@pytest.mark.parametrize("missing", ALL)
async def test_a_signature_that_leaves_something_out_is_refused(rita, alice, bring, missing):
    body, key_id = follow(rita, alice), rita.document["publicKey"]["id"]
    covered = tuple(name for name in ALL if name != missing)
    async with nothing_changes():
        assert await bring(body, handmade(body, covered, key_id, {})) == 401
        # Even with everything else that one may cover.
        more = {"content-type": ACTIVITY_JSON, "content-digest": content_digest(body)}
        every = (*covered, *more)
        assert await bring(body, handmade(body, every, key_id, more)) == 401


def _of(hashing: Any, body: bytes) -> str:
    return b64encode(hashing(body).digest()).decode()


DIGESTS: dict[str, Callable[[bytes], str]] = {
    "another body's": lambda body: digest(body + b" "),
    "weak": lambda body: f"MD5={_of(md5, body)}",
    "weak too": lambda body: f"SHA={_of(sha1, body)},SHA-1={_of(sha1, body)}",
    "right and wrong": lambda body: f"SHA-256={_of(sha256, body)},SHA-512={_of(sha512, body + b' ')}",
    "wrong and right": lambda body: f"SHA-256={_of(sha256, b'')},SHA-256={_of(sha256, body)}",
    "right, twice": lambda body: f"SHA-256={_of(sha256, body)},SHA-256={_of(sha256, body)}",
    "cut off": lambda body: f"SHA-256={_of(sha256, body)[:-3]}",
    "in hexadecimal": lambda body: f"SHA-256={sha256(body).hexdigest()}",
    "empty": lambda _: "SHA-256=",
    "none": lambda _: "x",
}


@pytest.mark.once
@pytest.mark.parametrize("name", DIGESTS)
async def test_a_digest_that_proves_nothing_is_refused(rita, alice, bring, name):
    body, key_id = follow(rita, alice), rita.document["publicKey"]["id"]
    async with nothing_changes():
        headers = handmade(body, ALL, key_id, {"digest": DIGESTS[name](body)})
        assert await bring(body, headers) == 401


ALGORITHMS = ["none", "hmac-sha256", "hmac-sha512", "rsa-sha1", "dsa-sha1", "ecdsa-sha256", "ed25519", "x"]


@pytest.mark.once
@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_the_algorithm_is_the_keys_to_say(rita, alice, bring, algorithm):
    body, key_id = follow(rita, alice), rita.document["publicKey"]["id"]
    async with nothing_changes():
        assert await bring(body, handmade(body, ALL, key_id, {}, algorithm)) == 401


async def test_what_everybody_knows_is_no_secret(rita, alice, bring):
    """A MAC with the public key in place of the secret; no signature; a signature of zeros."""
    body, key_id = follow(rita, alice), rita.document["publicKey"]["id"]
    good = handmade(body, ALL, key_id, {}, "hmac-sha256")
    text = f"(request-target): post {INBOX}\n" + "\n".join(f"{name}: {good[name]}" for name in ALL[1:])
    made = hmac.new(pair()[0].encode(), text.encode(), sha256).digest()
    async with nothing_changes():
        for forged, algorithm in product((made, b"", bytes(256), b"\xff" * 256), ("hmac-sha256", "hs2019")):
            value = (
                good["signature"].rpartition("signature=")[0] + f'signature="{b64encode(forged).decode()}"'
            )
            value = value.replace("hmac-sha256", algorithm)
            assert await bring(body, {**good, "signature": value}) == 401


HEADERS: dict[str, Callable[[dict[str, str], str], dict[str, str]]] = {
    "the signature again": lambda given, _: {"Signature": f"{given['Signature']},{given['Signature']}"},
    "a key before the key": lambda given, key: {"Signature": f'keyId="{key}x",{given["Signature"]}'},
    "a key behind the key": lambda given, key: {"Signature": f'{given["Signature"]},keyId="{key}x"'},
    "escapes": lambda given, _: {"Signature": given["Signature"].replace("rsa", "\\rsa")},
    "no quotes": lambda given, _: {"Signature": given["Signature"].replace('"', "")},
    "something else": lambda given, _: {"Signature": "x"},
    "nothing": lambda given, _: {"Signature": ""},
    "much": lambda given, _: {"Signature": given["Signature"] + ",x=1" * 1_000},
    "no date": lambda given, _: {"Date": ""},
    "no day": lambda given, _: {"Date": "Mon, 31 Feb 2026 25:00:00 GMT"},
    "two dates": lambda given, _: {"Date": f"{given['Date']}, {given['Date']}"},
    "another host": lambda given, _: {"Host": "other.example"},
    "two hosts": lambda given, _: {"Host": "localhost:8000, other.example"},
    "a host with a user": lambda given, _: {"Host": "x@localhost:8000"},
    "no host": lambda given, _: {"Host": ""},
    "a future": lambda given, _: {"Signature": given["Signature"] + ',expires="1"'},
    "another scheme": lambda given, key: {
        "Signature-Input": f'sig1=("@method" "@target-uri");created=1;keyid="{key}"'
    },
    "an empty scheme": lambda given, _: {"Signature-Input": ""},
    "an endless scheme": lambda given, _: {"Signature-Input": "sig1=(" + '"a" ' * 2_000},
}


@pytest.mark.once
@pytest.mark.parametrize("name", HEADERS)
async def test_headers_that_mean_two_things_or_none_are_refused(rita, alice, bring, name):
    body = follow(rita, alice)
    given = signed(rita.document, body)
    async with nothing_changes():
        key_id = rita.document["publicKey"]["id"]
        assert await bring(body, {**given, **HEADERS[name](given, key_id)}) in (400, 401)


COMPONENTS = ["@method", "@target-uri", "content-digest"]


@pytest.mark.once
@pytest.mark.parametrize("missing", COMPONENTS)
async def test_the_newer_scheme_must_say_all_too(rita, alice, bring, missing):
    body, key_id = follow(rita, alice), rita.document["publicKey"]["id"]
    covered = [name for name in COMPONENTS if name != missing] + ["@authority", "@path", "host"]
    headers = {"host": "localhost:8000", "content-digest": content_digest(body), "digest": digest(body)}
    request = Request(method="POST", target=INBOX, origin=HERE, headers=headers, body=body)
    names = " ".join(f'"{name}"' for name in covered)
    inside = f'({names});created={moments.now() // 1000};keyid="{key_id}"'
    claim = Claim(Scheme.RFC9421, key_id, tuple(covered), b"", parameters=inside)
    made = b64encode(signature_of(private_key(pair()[1]), rfc9421.base(request, claim))).decode()
    headers |= {"Signature-Input": f"sig1={inside}", "Signature": f"sig1=:{made}:"}
    async with nothing_changes():
        assert await bring(body, {**headers, "Content-Type": ACTIVITY_JSON}) == 401


async def test_one_scheme_is_no_proof_of_the_other(rita, alice, bring):
    """Signed by the neighbour in the one way, in rita's name in the other."""
    body = follow(rita, alice)
    older = signed(rita.document, body)
    newer = signed(rita.document, body, scheme=Scheme.RFC9421, secret=other_pair()[1])
    async with nothing_changes():
        assert await bring(body, older | newer) == 401
        both = f"{older['Signature']}, {newer['Signature']}"
        assert await bring(body, older | newer | {"Signature": both}) == 401


# ---------------------------------------------------------------------------------------- whose key it may be


def spelled(uri: str) -> list[str]:
    """Other spellings of rita's address that a lenient reader takes for hers, or for ours."""
    path = uri.removeprefix("https://remote.example")
    return [
        *(f"{host}{path}" for host in ("http://remote.example", "https://remote.example:8443")),
        *(f"https://{host}{path}" for host in ("remote.example.", "x@remote.example", "remote.example:")),
        *(f"https://{host}{path}" for host in ("remote.example\\@localhost:8000", "remote.example%2f")),
        *(f"https://{host}{path}" for host in ("ｒemote.example", "remote。example", "remote.example%00.x")),
        *(f"{uri}{end}" for end in (" ", "\t", "\u00a0", "/", "/../nora", "?", "?x", "%20")),
        *("//remote.example" + path, "HTTPS:remote.example" + path, path, "data:," + uri, ""),
        f"http://localhost:8000@remote.example{path}",
        f"https://remote.example{path}@localhost:8000/",
    ]


async def test_another_spelling_of_a_key_is_another_key(rita, nora, alice, bring):
    """Nora signs, and her key is called nearly as rita's."""
    body = follow(rita, alice)
    async with nothing_changes():
        for name in spelled(rita.account.uri):
            if '"' in name or not name.isascii():
                continue
            headers = signed(rita.document, body, key_id=f"{name}#main-key", secret=other_pair()[1])
            assert await bring(body, headers) in (400, 401, 403), name


async def test_another_spelling_of_an_actor_is_another_actor(rita, nora, alice, bring):
    """Nora signs with her own key what says that it is rita's, more or less."""
    async with nothing_changes():
        for name in spelled(rita.account.uri):
            body = orjson.dumps({**rita.activity("Follow", alice.uri), "actor": name})
            assert await bring(body, signed(nora.document, body)) in (400, 403), name


def actors(rita: Someone, nora: Someone) -> list[dict[str, Any]]:
    """Ways to have two actors in one activity."""
    hers, own = rita.account.uri, nora.account.uri
    key = {**nora.document["publicKey"], "owner": hers}
    return [
        {"actor": [hers, own]},
        {"actor": {"id": hers}},
        {"actor": {**rita.document, "publicKey": key}},
        {"actor": {**nora.document, "id": hers}},
        {"actor": {"@id": hers}},
        {"actor": {"@list": [hers]}},
        {"actor": {"@value": hers}},
        {"actor": [[hers]]},
        {"actor": hers, "attributedTo": own},
        {"actor": hers, "as:actor": own},
        {"actor": hers, "@context": {"actor": "as:attributedTo", "signer": "as:actor"}, "signer": own},
        {"actor": hers, "signature": {"type": "RsaSignature2017", "creator": key["id"]}},
        {"actor": hers, "proof": {"type": "DataIntegrityProof", "verificationMethod": key["id"]}},
    ]


async def test_an_actor_beside_the_actor_does_not_count(rita, nora, alice, bring):
    async with nothing_changes():
        for forged in actors(rita, nora):
            body = orjson.dumps({**rita.activity("Follow", alice.uri), **forged})
            assert await bring(body, signed(nora.document, body)) in (400, 403), forged


async def test_names_that_stand_there_twice_are_refused(rita, nora, alice, bring):
    hers, own, whom = (orjson.dumps(uri).decode() for uri in (rita.account.uri, nora.account.uri, alice.uri))
    async with nothing_changes():
        for text in (
            f'{{"type":"Follow","actor":{own},"actor":{hers},"object":{whom}}}',
            f'{{"type":"Follow","actor":{hers},"\\u0061ctor":{own},"object":{whom}}}',
            f'{{"type":"Follow","actor":{{"id":{own},"@id":{hers}}},"object":{whom}}}',
            f'{{"type":"Follow","@type":"Block","actor":{hers},"object":{whom}}}',
            f'{{"@graph":[{{"type":"Follow","actor":{hers},"object":{whom}}}],"type":"View","actor":{own}}}',
        ):
            assert await bring(text.encode(), signed(nora.document, text.encode())) in (400, 403), text


async def test_a_key_that_was_swapped_under_way_is_not_taken_over(rita, nora, otto, alice, bring):
    """The forger hands out rita's document with a key of its own; her server knows nothing of it."""
    public, secret = other_pair()
    key = {**rita.document["publicKey"], "publicKeyPem": public}
    body = orjson.dumps({**rita.activity("Follow", alice.uri), "actor": {**rita.document, "publicKey": key}})
    update = orjson.dumps(rita.activity("Update", {**rita.document, "publicKey": key}))
    copy = f"{otto.peer.base}/users/rita"
    otto.peer.documents[copy] = {**rita.document, "publicKey": {**key, "id": f"{copy}#main-key"}}
    async with nothing_changes():
        for each, key_id in product((body, update), (key["id"], f"{copy}#main-key")):
            assert await bring(each, signed(rita.document, each, secret=secret, key_id=key_id)) == 401
        for liar in (nora, otto):
            assert await bring(update, signed(liar.document, update)) in (202, 403)


async def test_that_some_address_below_an_actor_is_gone_says_nothing_of_the_actor(rita, alice, bring):
    """Anything may be gone: only a key that is known for hers speaks for her."""
    gone = f"{rita.account.uri}/main-key"
    rita.peer.answers[gone] = (410, "text/plain", b"")
    body = orjson.dumps(rita.activity("Delete", rita.account.uri))
    headers = signed(rita.document, body, key_id=gone, secret=other_pair()[1])
    async with nothing_changes():
        assert await bring(body, headers) == 401
    await Account.filter(id=rita.account.id).update(key_id=gone)
    assert await bring(body, headers) == 202


# ------------------------------------------------------------------------------------ objects that pretend


def objects(stage: Stage, liar: Someone) -> list[Node]:  # noqa: F811
    """Activities in the liar's own name, with something inside that is rita's or ours, more or less."""
    rita, alice, note = stage.rita.account, stage.alice, stage.note
    unseen = liar.note("<p>Never sent</p>")
    theirs = {**note, "content": "<p>Forged</p>", "updated": NOW}
    return [
        *(
            liar.activity(kind, thing)
            for kind in ("Create", "Update")
            for thing in (
                {**theirs, "attributedTo": liar.account.uri},
                {**theirs, "attributedTo": [liar.account.uri, rita.uri]},
                {**theirs, "attributedTo": liar.account.uri, "id": [note["id"]]},
                {**theirs, "attributedTo": liar.account.uri, "@id": note["id"], "id": None},
                {**unseen, "attributedTo": rita.uri},
                {**unseen, "attributedTo": {"id": rita.uri, "type": "Person"}},
                {**unseen, "attributedTo": alice.uri},
                {**unseen, "id": alice.uri},
                {**unseen, "id": rita.uri},
                {**unseen, "id": f"{HERE}/ap/posts/1"},
                {**unseen, "id": "https://LOCALHOST:8000/ap/posts/1"},
                {"type": "Create", "id": unseen["id"], "actor": rita.uri, "object": theirs},
                [theirs, {**unseen, "attributedTo": rita.uri}],
            )
        ),
        *(
            liar.activity("Delete", thing)
            for thing in (
                {"type": "Tombstone", "id": note["id"], "attributedTo": liar.account.uri},
                {"type": "Note", "id": note["id"], "attributedTo": liar.account.uri},
                [note["id"]],
                {"@list": [note["id"]]},
                {"id": rita.uri, "type": "Person", "publicKey": liar.document["publicKey"]},
                alice.followers_uri,
                stage.done["Like"]["object"],
            )
        ),
        *(
            liar.activity("Undo", {**done, "actor": actor})
            for done in stage.done.values()
            for actor in (liar.account.uri, stage.rita.account.uri, None)
        ),
        *(liar.activity("Undo", {"type": "Undo", "object": done}) for done in stage.done.values()),
        *(liar.activity("Undo", [done["id"], done]) for done in stage.done.values()),
        liar.activity("Undo", {"type": "Accept", "object": stage.asked, "actor": "https://third.example/x"}),
        liar.activity("Add", note["id"], target=alice.featured_uri),
        liar.activity("Add", note["id"], target=[liar.account.featured_uri, rita.featured_uri]),
        liar.activity("Add", note["id"], target={"id": rita.featured_uri, "attributedTo": liar.account.uri}),
        liar.activity("Add", stage.done["Like"]["object"], target=liar.account.featured_uri),
        liar.activity("Add", note["id"], target=rita.followers_uri),
        liar.activity("Move", [rita.uri], target=stage.new.account.uri),
        liar.activity("Move", liar.account.uri, target=liar.account.uri),
        liar.activity("Move", liar.account.uri),
        liar.activity("Announce", {"type": "Delete", "actor": rita.uri, "object": note["id"]}),
        liar.activity("Announce", {"type": "Update", "actor": rita.uri, "object": theirs}),
        liar.activity("Announce", {"type": "Undo", "actor": rita.uri, "object": stage.done["Like"]}),
        liar.activity(
            "Announce", {"type": "Move", "actor": rita.uri, "object": rita.uri, "target": alice.uri}
        ),
        liar.activity("Announce", {"type": "Block", "actor": rita.uri, "object": alice.uri}),
        liar.activity("Announce", {"type": "Follow", "actor": rita.uri, "object": alice.uri}),
    ]


@pytest.mark.parametrize("who", ["neighbour", "other server"])
async def test_what_pretends_to_be_ones_own_changes_nothing(stage, nora, otto, bring, who):  # noqa: F811
    liar = nora if who == "neighbour" else otto
    forgeries = objects(stage, liar)
    # Nothing of it can be had where it says that it is from.
    liar.peer.documents = {
        uri: document for uri, document in liar.peer.documents.items() if "Never" not in str(document)
    }
    async with nothing_changes() as still:
        for activity in forgeries:
            body = orjson.dumps(activity)
            assert await bring(body, signed(liar.document, body)) in (202, 400, 403), activity
            await still()


async def test_a_name_that_something_else_has_is_nobodys_to_take(stage, bring):  # noqa: F811
    """A boost, a like, a follow under the name of a post, an account, another act: no fault of ours."""
    rita = stage.rita
    names = [stage.note["id"], rita.account.uri, stage.done["Like"]["id"], rita.account.followers_uri]
    thing = stage.done["Like"]["object"]
    async with nothing_changes():
        for name in names:
            for kind in ("Announce", "Like", "EmojiReact"):
                body = orjson.dumps(rita.activity(kind, thing, id=name, to=PUBLIC))
                assert await bring(body, signed(rita.document, body)) == 202
            for kind in ("Create", "Update", "Add"):
                body = orjson.dumps(rita.activity(kind, {"id": name, "type": "Flag"}, id=name))
                assert await bring(body, signed(rita.document, body)) in (202, 400, 403)


# ----------------------------------------------------------------------------- to make us ask a third one


async def test_what_is_passed_on_makes_us_ask_at_a_bounded_pace(rita, otto, alice, app):
    """Anybody may pass on what is otto's, or says so; his server is not asked each time."""
    here = await write(alice)
    kept = await receiving.receive(otto.account, reading.post(compact.read(orjson.dumps(otto.note()))))
    otto.peer.asked.clear()
    for number in range(2 * MOST_PER_HOST):
        await rita.peer.send(app, rita.document, otto.activity("Update", kept.uri, summary=str(number)))
        answer = {"type": "Note", "id": f"{otto.peer.base}/notes/no{number}", "inReplyTo": here.uri}
        await rita.peer.send(app, rita.document, otto.activity("Create", answer))
    await processing.drain()
    owed = await db.column("SELECT key FROM work WHERE kind = $1", Job.RESOLVE.value)
    assert len(otto.peer.asked) + len(owed) == MOST_PER_HOST
    today = moments.day(moments.now())
    assert (await dropped.numbers(today, today))["too much that was passed on"] == 3 * MOST_PER_HOST


async def test_whom_nobody_follows_makes_us_ask_at_a_bounded_pace(rita, otto, alice, app):
    """A group passes on what claims to answer somebody here."""
    here = await write(alice)
    for number in range(2 * MOST_PER_HOST):
        answer = {"type": "Note", "id": f"{otto.peer.base}/notes/no{number}", "inReplyTo": here.uri}
        inner = otto.activity("Create", answer)
        assert await rita.peer.send(app, rita.document, rita.activity("Announce", inner)) == 202
    await processing.drain()
    assert len(otto.peer.asked) == MOST_PER_HOST


async def test_answers_make_us_write_to_all_who_follow_at_a_bounded_pace(rita, otto, alice, app):
    """They are passed on unseen, for what looks like a proof: one letter for each server that follows."""
    here = await write(alice)
    await table.befriend(otto.account, alice)
    for _ in range(MOST_PER_HOST + 10):
        answer = rita.note(inReplyTo=here.uri, cc=[alice.followers_uri])
        activity = rita.activity("Create", answer, signature={"type": "RsaSignature2017"})
        assert await rita.peer.send(app, rita.document, activity) == 202
    await processing.drain()
    assert await db.value("SELECT count(*) FROM post WHERE reply_to_id = $1", here.id) == MOST_PER_HOST + 10
    assert await db.value("SELECT count(*) FROM delivery") == MOST_PER_HOST


async def test_one_update_is_one_question(rita, bring):
    """However often the same profile stands in it."""
    body = orjson.dumps(rita.activity("Update", [rita.account.uri] * 64))
    assert await bring(body, signed(rita.document, body)) == 202
    await processing.drain()
    assert [str(request.url) for request in rita.peer.asked] == [rita.account.uri]


# --------------------------------------------------------------------------------------------- faults of ours


SHAPES: list[Any] = [
    *(None, True, False, 0, -1, 2**53, 1.5, "", " ", "x", "javascript:alert(1)", "as:Public", [], {}, [[]]),
    *({"id": None}, {"id": 5}, {"id": []}, {"type": "Note"}, {"type": 5, "id": {}}, [None, {}, 5]),
    *(
        "https://remote.example/" + "a" * 3_000,
        "\u202ehttps://remote.example/x",
        "https://remote.example/\ud7ff",
    ),
    *({"@value": "x"}, {"@value": None}, {"@list": []}, {"@set": [{"@set": [1]}]}, {"@language": "en"}),
]


# What comes as far as the database is tried on both above.
@pytest.mark.once
@pytest.mark.parametrize("kind", sorted(HANDLERS))
async def test_shapes_that_make_no_sense_are_no_fault_of_ours(stage, bring, kind):  # noqa: F811
    """In each property that a handler looks at; rita may do what she likes, so only faults are looked for."""
    rita = stage.rita
    for name, shape in product(("object", "target", "to", "id", "type", "tag", "content"), SHAPES):
        body = orjson.dumps({**rita.activity(kind, stage.note), name: shape})
        assert await bring(body, signed(rita.document, body)) in (202, 400, 403), (name, shape)
    await processing.drain()
    assert await db.column("SELECT error FROM inbox_item WHERE crashes > 0") == []


INBOXES = [
    *("/ap/accounts/9999999999999999999/inbox", "/ap/accounts/9223372036854775808/inbox"),
    *("/ap/accounts/-1/inbox", "/ap/accounts/0/inbox", "/ap/accounts/x/inbox", "/ap/accounts/1%2f/inbox"),
    *("/ap/inbox/", "/ap//inbox", "/ap/inbox%00", "/AP/INBOX", "/ap/actor/inbox/x"),
]


@pytest.mark.once
@pytest.mark.parametrize("inbox", INBOXES)
async def test_what_is_no_inbox_takes_nothing(rita, alice, bring, inbox):
    body = follow(rita, alice)
    async with nothing_changes():
        assert await bring(body, signed(rita.document, body, inbox), inbox) in (308, 400, 404, 405, 410)
