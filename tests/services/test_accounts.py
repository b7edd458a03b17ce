"""Finding accounts, and what people here say about themselves."""

import asyncio
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from fediblog import db, imaging, storage
from fediblog.errors import Gone, Invalid, NoSpace, NotFound
from fediblog.models import Account
from fediblog.services import accounts, views
from fediblog.services.accounts import Profile
from tests.people import person, remote


@pytest.fixture(autouse=True)
def _database(database: None) -> None:
    """Every test here reads it."""


async def upload(data: bytes | None = None) -> Path:
    """A file in the workshop, as a door hands it in; a picture when nothing else is given."""
    if data is None:
        picture = BytesIO()
        Image.new("RGB", (64, 48), "teal").save(picture, "PNG")
        data = picture.getvalue()
    path = storage.current().temporary()
    path.write_bytes(data)
    return path


def size(key: str) -> tuple[int, int]:
    """Width and height of a picture in the storage."""
    with Image.open(storage.current().path(key)) as picture:
        return picture.size


def files() -> list[Path]:
    """Everything in the storage."""
    return [path for path in storage.current().root.rglob("*") if path.is_file()]


# ------------------------------------------------------------------------------------------------- finding


@pytest.mark.parametrize(
    "handle", ["alice", "@alice", "ALICE", "alice@localhost:8000", "@Alice@LOCALHOST:8000", " alice "]
)
async def test_an_account_is_looked_up_by_its_handle(alice, handle):
    assert (await accounts.lookup(handle)).id == alice.id


async def test_an_account_from_elsewhere_is_looked_up_by_its_full_handle():
    dave = await remote("Dave", "xn--bcher-kva.example")
    assert (await accounts.lookup("@dave@BÜCHER.example")).id == dave.id
    assert (await accounts.find("DAVE", "xn--bcher-kva.example")) is not None
    with pytest.raises(NotFound):
        await accounts.lookup("dave")


@pytest.mark.parametrize(
    "handle",
    [
        "",
        "@",
        "@@",
        "nobody",
        "alice@",
        "alice@far.example",
        "@alice@",
        "a b",
        "al\x00ice",
        "alice@local host",
        "\ud800",
        "x" * 10_000,
        "alice@" + "x" * 300,
        "alice@" + "ü" * 200,
        "alice@localhost:8000@far.example",
        "álice",
    ],
)
async def test_what_is_nobodys_handle(alice, handle):
    with pytest.raises(NotFound):
        await accounts.lookup(handle)


async def test_getting_by_number(alice):
    assert (await accounts.get(alice.id)).username == "alice"
    for number in (0, -1, 1, 2**63 - 1, 2**63, 10**30):
        with pytest.raises(NotFound):
            await accounts.get(number)


async def test_who_has_left_is_gone_and_who_was_not_let_in_is_not_there():
    left = await person("left", deleted_at=1, suspended_at=1)
    pending = await person("pending", suspended_at=1, approved_at=None)
    suspended = await person("suspended", suspended_at=1)
    with pytest.raises(Gone):
        await accounts.get(left.id)
    with pytest.raises(NotFound) as missing:
        await accounts.get(pending.id)
    assert not isinstance(missing.value, Gone)
    assert await accounts.find("left") is None
    assert await accounts.find("pending") is None
    assert (await accounts.get(suspended.id)).suspended_at


# ------------------------------------------------------------------------------------------------- profile


async def test_a_profile_is_rendered_and_counts_a_new_version(alice, bob):
    await remote("carol", "far.example")
    changed = await accounts.edit_profile(
        alice,
        Profile(
            display_name=" Alice <b>\u202e A. ",
            note="Hello @bob and @carol@far.example\r\n\r\n#cats & https://a.example <script>",
            fields=[("Site", "https://alice.example/me"), ("", ""), ("Friend", "@bob@localhost:8000")],
            locked=True,
            bot=True,
            discoverable=False,
            indexable=True,
            hide_collections=True,
        ),
    )
    assert changed.display_name == "Alice <b> A."
    assert changed.note.startswith("<p>Hello ") and f'href="{bob.url}"' in changed.note
    assert "<script>" not in changed.note and "&lt;script&gt;" in changed.note
    assert "@carol@far.example" in changed.note and "far.example/@carol" not in changed.note
    assert 'href="http://localhost:8000/tags/cats"' in changed.note
    assert changed.note_source.startswith("Hello @bob")
    site, friend = changed.fields_
    assert (site["name"], site["source"], site["verified_at"]) == ("Site", "https://alice.example/me", None)
    assert 'rel="me nofollow noopener"' in site["value"]
    assert f'href="{bob.url}"' in friend["value"]
    assert changed.locked and changed.indexable and changed.hide_collections and not changed.discoverable
    assert changed.actor_type == "Service"
    assert changed.version == alice.version + 1
    card = (await views.cards([alice.id]))[alice.id]
    assert card.fields == tuple(changed.fields_) and card.note == changed.note


async def test_what_is_not_given_stays(alice):
    first = await accounts.edit_profile(
        alice, Profile(display_name="A", note="N", fields=[("a", "b")], locked=True)
    )
    second = await accounts.edit_profile(first, Profile(bot=True))
    assert (second.display_name, second.note_source, second.locked) == ("A", "N", True)
    assert second.fields_ == first.fields_
    third = await accounts.edit_profile(
        second, Profile(display_name="", note="", fields=[], locked=False, bot=False)
    )
    assert (third.display_name, third.note, third.fields_, third.locked) == ("", "", [], False)
    assert third.actor_type == "Person"
    assert (await accounts.edit_profile(third, Profile())).version == third.version == 4


async def test_a_checked_link_stays_checked_until_it_changes(alice):
    changed = await accounts.edit_profile(alice, Profile(fields=[("Site", "https://a.example")]))
    await Account.filter(id=alice.id).update(fields_=[{**changed.fields_[0], "verified_at": 123}])
    changed = await accounts.edit_profile(
        await accounts.get(alice.id), Profile(fields=[("Other", "x"), ("Site", "https://a.example")])
    )
    assert [field["verified_at"] for field in changed.fields_] == [None, 123]
    changed = await accounts.edit_profile(changed, Profile(fields=[("Site", "https://b.example")]))
    assert changed.fields_[0]["verified_at"] is None


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (Profile(display_name="x" * 51), "display_name"),
        (Profile(display_name="https://a.example/" + "x" * 100), "display_name"),
        (Profile(note="x" * 501), "note"),
        (Profile(note=" ".join("https://a.example/" + "x" * 1900 for _ in range(12))), "note"),
        (Profile(fields=[("a", "b")] * 5), "fields"),
        (Profile(fields=[("", "b")]), "fields"),
        (Profile(fields=[("a" * 256, "b")]), "fields"),
        (Profile(fields=[("a", "b" * 256)]), "fields"),
    ],
)
async def test_a_profile_that_is_refused(alice, draft, field):
    with pytest.raises(Invalid) as refused:
        await accounts.edit_profile(alice, draft)
    assert set(refused.value.fields) == {field}
    assert (await accounts.get(alice.id)).version == alice.version


async def test_all_faults_of_a_profile_come_together(alice):
    draft = Profile(display_name="x" * 51, note="x" * 501, fields=[("a", "b")] * 5, locked=True)
    with pytest.raises(Invalid) as refused:
        await accounts.edit_profile(alice, draft)
    assert set(refused.value.fields) == {"display_name", "note", "fields"}
    assert not (await accounts.get(alice.id)).locked


async def test_the_longest_profile_is_taken(alice):
    family = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"
    draft = Profile(display_name=family * 50, note=family * 500, fields=[(family * 255, family * 255)] * 4)
    changed = await accounts.edit_profile(alice, draft)
    assert changed.display_name == family * 50
    assert len(changed.fields_) == 4


@pytest.mark.parametrize("words", ["a\x00b", "a\ud800b", "\x1b[31mred"])
async def test_what_no_database_takes_is_left_out(alice, words):
    changed = await accounts.edit_profile(
        alice, Profile(display_name=words, note=words, fields=[(words, words)])
    )
    for text in (changed.display_name, changed.note_source, changed.fields_[0]["name"]):
        assert not set(text) & {"\x00", "\ud800", "\x1b"}


# ------------------------------------------------------------------------------------------------ pictures


async def test_an_avatar_is_made_kept_and_replaced(alice):
    first = await accounts.set_avatar(alice, await upload())
    assert first.version == alice.version + 1
    assert size(first.avatar) == (400, 400)
    second = await accounts.set_avatar(first, await upload())
    assert second.avatar != first.avatar
    assert files() == [storage.current().path(second.avatar)]
    gone = await accounts.remove_avatar(second)
    assert gone.avatar == ""
    assert files() == []
    assert (await accounts.remove_avatar(gone)).avatar == ""


async def test_a_header_is_another_picture(alice):
    await accounts.set_avatar(alice, await upload())
    changed = await accounts.set_header(alice, await upload())
    assert size(changed.header) == (1500, 500)
    assert changed.avatar and changed.avatar != changed.header
    assert (await accounts.remove_header(changed)).avatar == changed.avatar
    assert len(files()) == 1


@pytest.mark.parametrize(
    "data", [b"", b"not a picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG\r\n\x1a\n" * 9]
)
async def test_what_is_no_picture_is_refused(alice, data):
    before = await accounts.set_avatar(alice, await upload())
    for act, field in ((accounts.set_avatar, "avatar"), (accounts.set_header, "header")):
        with pytest.raises(Invalid) as refused:
            await act(before, await upload(data))
        assert set(refused.value.fields) == {field}
    assert (await accounts.get(alice.id)).avatar == before.avatar
    assert files() == [storage.current().path(before.avatar)]


async def test_a_picture_that_is_too_big_is_refused(alice, configure):
    configure(limits__image_megabytes=1)
    picture = BytesIO()
    Image.effect_noise((1500, 1500), 200).save(picture, "PNG")
    with pytest.raises(Invalid) as refused:
        await accounts.set_avatar(alice, await upload(picture.getvalue()))
    assert set(refused.value.fields) == {"avatar"}
    assert files() == []


async def test_a_picture_that_cannot_be_kept_leaves_the_old_one(alice, monkeypatch):
    before = await accounts.set_avatar(alice, await upload())

    async def fail(*_: object) -> Account:
        raise NoSpace()

    monkeypatch.setattr(accounts, "change", fail)
    with pytest.raises(NoSpace):
        await accounts.set_avatar(before, await upload())
    assert files() == [storage.current().path(before.avatar)]


async def test_who_hangs_up_while_the_picture_is_committed_keeps_what_the_row_names(alice, monkeypatch):
    before = await accounts.set_avatar(alice, await upload())
    real = db.transaction

    @asynccontextmanager
    async def given_up():
        monkeypatch.setattr(db, "transaction", real)
        async with real():
            yield
        raise asyncio.CancelledError

    monkeypatch.setattr(db, "transaction", given_up)
    with pytest.raises(asyncio.CancelledError):
        await accounts.set_avatar(before, await upload())
    named = (await Account.get(id=alice.id)).avatar
    assert named != before.avatar
    assert size(named) == (400, 400)


async def test_of_pictures_that_are_set_at_once_one_stays(alice, monkeypatch):
    uploads = [await upload() for _ in range(8)]
    ready = asyncio.Barrier(len(uploads))
    make = imaging.make_avatar

    async def together(*given: object) -> imaging.Made:
        made = await make(*given)
        await ready.wait()
        return made

    monkeypatch.setattr(imaging, "make_avatar", together)
    await asyncio.gather(*(accounts.set_avatar(alice, one) for one in uploads))
    assert [storage.current().path((await Account.get(id=alice.id)).avatar)] == files()


async def test_an_account_that_has_just_been_deleted_stays_empty(alice):
    await Account.filter(id=alice.id).update(deleted_at=1, suspended_at=1)
    with pytest.raises(Gone):
        await accounts.edit_profile(alice, Profile(display_name="Alice", note="Still here"))
    with pytest.raises(Gone):
        await accounts.set_avatar(alice, await upload())
    found = await Account.get(id=alice.id)
    assert (found.note, found.avatar, files()) == ("", "", [])
