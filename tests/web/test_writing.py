"""Writing on the site: everything the form holds, and what comes back when something is wrong with it."""

import asyncio
import struct
import zlib
from typing import Any

import pytest

from fediblog import db, storage
from fediblog.errors import Unavailable
from fediblog.models import Account, Media, Poll, Post, Visibility
from fediblog.services import follows, media, posts, views
from fediblog.services.composing import Draft
from fediblog.web import drafts
from tests.web.browser import Browser, File
from tests.web.conftest import BrowserOf, jpeg


@pytest.fixture
async def hers(browser_of: BrowserOf, alice: Account) -> Browser:
    return await browser_of(alice)


async def the_post() -> Post:
    """The only one there is."""
    return await Post.get()


async def test_a_post_is_published_and_one_lands_where_one_was(hers: Browser):
    answer = await hers.submit("/home", "/publish", source="Hello #world", language="en")
    post = await the_post()

    assert (post.source, post.language, post.visibility) == ("Hello #world", "en", Visibility.PUBLIC)
    assert answer.location == f"/home#p{post.id}"
    home = await hers.follow(answer)
    assert f"p{post.id}" in home.ids
    assert 'lang="en"' in home.article(f"p{post.id}")


async def test_all_parts_of_the_form_arrive(hers: Browser):
    await hers.submit(
        "/publish",
        "/publish",
        source="Which?",
        summary="A question",
        visibility="2",
        option=["Tea", "Coffee", "", "  "],
        poll_seconds="3600",
        poll_multiple="1",
        poll_hidden="1",
    )
    post, poll = await the_post(), await Poll.get()

    assert (post.summary, post.visibility, post.sensitive) == ("A question", Visibility.FOLLOWERS, True)
    assert (poll.multiple, poll.hide_totals) == (True, True)
    assert (await views.bodies([post.id]))[post.id].poll.options == ("Tea", "Coffee")  # type: ignore[union-attr]


async def test_pictures_come_with_their_descriptions(hers: Browser, worker: None, picture: bytes):
    answer = await hers.submit(
        "/home",
        "/publish",
        source="Two of them",
        file_1=File(picture),
        alt_of_1="A teal square",
        file_3=File(jpeg(64, 64)),
        sensitive="1",
    )
    files = (await views.bodies([(await the_post()).id]))[(await the_post()).id].media

    assert [file.description for file in files] == ["A teal square", ""]
    assert (await the_post()).sensitive
    home = await hers.follow(answer)
    assert 'alt="A teal square"' in home.html and "Sensitive content" in home.text
    assert f"/media/{files[0].file}" in home.links


async def test_sending_the_same_form_twice_makes_one_post(hers: Browser):
    page = await hers.open("/home")
    first = await hers.send_form(page, "/publish", source="Once")
    second = await hers.send_form(page, "/publish", source="Once")

    assert first.location == second.location
    assert await Post.all().count() == 1


async def test_the_same_words_in_two_forms_make_two_posts(hers: Browser):
    for _ in range(2):
        await hers.submit("/home", "/publish", source="Again")
    assert await Post.all().count() == 2


async def test_a_form_survives_a_server_that_was_busy(hers: Browser, monkeypatch: pytest.MonkeyPatch):
    real = posts.publish

    async def busy(author: Account, draft: Draft) -> Post:
        raise Unavailable

    monkeypatch.setattr(posts, "publish", busy)
    answer = await hers.submit("/home", "/publish", 503, source="Patience", summary="Wait")
    assert "busy" in answer.text
    assert int(answer.headers["Retry-After"]) > 0
    form = answer.form("/publish")
    assert (form.value("source"), form.value("summary")) == ("Patience", "Wait")

    monkeypatch.setattr(posts, "publish", real)
    await hers.send_form(answer, "/publish")
    await hers.send_form(answer, "/publish")
    assert (await the_post()).source == "Patience"


# -------------------------------------------------------------------------------------------------- faults


async def test_too_long_a_text_comes_back_whole_with_a_sentence(hers: Browser):
    text = "a" * 501 + "\n<b>&amp;</b>"
    answer = await hers.submit("/home", "/publish", 422, source=text, language="de", visibility="1")
    form = answer.form("/publish")

    assert "That is longer than 500 characters." in answer.text
    assert form.value("source") == text
    assert (form.value("language"), form.value("visibility")) == ("de", "1")
    assert form.value("return_to") == "/home"
    assert await Post.all().count() == 0


async def test_nothing_is_no_post(hers: Browser):
    answer = await hers.submit("/home", "/publish", 422, source="  \n ")
    assert "A post needs some text, a picture or a poll." in answer.text


async def test_a_text_area_keeps_the_line_that_is_empty(hers: Browser):
    text = "\n\n" + "b" * 501
    answer = await hers.submit("/home", "/publish", 422, source=text)
    assert answer.form("/publish").value("source") == text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"option": ["One"]}, "A poll needs at least two options."),
        ({"option": ["Same", "Same"]}, "Two options of the poll are the same."),
        ({"option": [str(number) for number in range(9)]}, "at most 8 options"),
        ({"option": ["a", "b" * 101]}, "longer than 100 characters"),
        ({"option": ["a", "b"], "poll_seconds": "10"}, "at least five minutes"),
        ({"option": ["a", "b"], "poll_seconds": "99999999"}, "at most 30 days"),
        ({"option": ["a", "b"], "poll_seconds": "soon"}, "at least five minutes"),
        ({"visibility": "7"}, "Choose one of the four."),
        ({"visibility": "public"}, "Choose one of the four."),
        ({"language": "klingon!"}, "not a language code"),
        ({"media": "77"}, "There is no such file."),
    ],
)
async def test_faults_come_back_with_the_form(hers: Browser, fields: dict[str, Any], sentence: str):
    answer = await hers.submit("/publish", "/publish", 422, source="Kept", **fields)

    assert sentence in answer.text
    assert answer.form("/publish").value("source") == "Kept"
    if "option" in fields:
        assert answer.form("/publish").values("option")[: len(fields["option"])] == fields["option"][:8]
    assert await Post.all().count() == 0


async def test_a_file_of_somebody_else_is_no_file(hers: Browser, bob: Account, worker: None, picture: bytes):
    path = storage.current().temporary()
    path.write_bytes(picture)
    his = await media.receive(bob, path, "His secret")
    await media.wait_ready(his.id, 10)
    answer = await hers.submit("/publish", "/publish", 422, source="Mine?", media=str(his.id))

    assert "There is no such file." in answer.text
    assert "His secret" not in answer.html
    assert (await Media.get(id=his.id)).post_id is None


async def test_no_number_for_a_file_is_malformed(hers: Browser):
    await hers.submit("/publish", "/publish", 400, source="?", media="x")


async def test_pictures_stay_when_the_text_is_refused(hers: Browser, worker: None, picture: bytes):
    answer = await hers.submit(
        "/publish", "/publish", 422, source="c" * 501, file_1=File(picture), alt_of_1="First"
    )
    kept = answer.form("/publish").value("media")
    assert answer.form("/publish").value(f"alt-{kept}") == "First"
    assert "file-4" not in answer.html, "three more may be added"

    await hers.send_form(answer, "/publish", source="Short", **{f"alt-{kept}": "Better"})
    files = (await views.bodies([(await the_post()).id]))[(await the_post()).id].media
    assert [(str(file.id), file.description) for file in files] == [(kept, "Better")]


async def test_a_picture_can_be_left_out_again(hers: Browser, worker: None, picture: bytes):
    answer = await hers.submit("/publish", "/publish", 422, source="d" * 501, file_1=File(picture))
    kept = answer.form("/publish").value("media")
    await hers.send_form(answer, "/publish", source="Alone", drop=kept)

    assert (await views.bodies([(await the_post()).id]))[(await the_post()).id].media == ()


@pytest.mark.parametrize(
    "content",
    [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<!doctype html><script>", b"{}", b"MZ" + b"\0" * 99],
)
async def test_a_file_of_another_kind_is_refused_at_its_field(hers: Browser, content: bytes):
    answer = await hers.submit(
        "/publish", "/publish", 422, source="Look", file_2=File(content, "cute.jpg"), alt_of_2="Cute"
    )
    form = answer.form("/publish")

    assert 'id="file-2-fault"' in answer.html
    assert (form.value("source"), form.value("alt-of-2")) == ("Look", "Cute")
    assert await Media.all().count() == 0
    assert list(storage.current().workshop.iterdir()) == []


async def test_a_picture_that_unpacks_to_gigabytes_is_refused(hers: Browser, worker: None):
    answer = await hers.submit(
        "/publish", "/publish", 422, source="Boom", file_1=File(bomb(60_000, 60_000), "b.png")
    )

    assert 'id="file-1-fault"' in answer.html
    assert answer.form("/publish").value("source") == "Boom"
    assert not answer.form("/publish").values("media")
    assert await Post.all().count() == 0


async def test_a_file_that_takes_its_time_is_kept_for_the_next_try(
    hers: Browser, picture: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(drafts, "_PATIENCE", 0.05)
    answer = await hers.submit("/publish", "/publish", 422, source="Slow", file_1=File(picture))
    assert "still being processed" in answer.text

    await media.process(int(answer.form("/publish").value("media")))
    await hers.send_form(answer, "/publish")
    assert (await the_post()).source == "Slow"


async def test_too_long_a_description_is_told_at_the_file(hers: Browser, worker: None, picture: bytes):
    answer = await hers.submit(
        "/publish", "/publish", 422, source="x", file_1=File(picture), alt_of_1="e" * 1501
    )
    assert "The description is longer than 1500 characters." in answer.text
    assert answer.form("/publish").value("alt-of-1") == "e" * 1501


# ------------------------------------------------------------------------------------------- replies, edits


async def test_a_reply_starts_with_those_it_answers_and_is_seen_by_no_more(
    hers: Browser, bob: Account, carol: Account, alice: Account
):
    await follows.follow(alice, bob)
    first = await posts.publish(bob, Draft("@carol look", summary="Boats", visibility=Visibility.FOLLOWERS))
    page = await hers.open(f"/publish?in_reply_to={first.id}")
    form = page.form("/publish")
    assert form.value("source") == "@bob @carol "
    assert (form.value("visibility"), form.value("summary")) == ("2", "Boats")
    assert "Boats" in page.text

    await hers.send_form(page, "/publish", source="@bob I see")
    reply = await Post.get(author_id=alice.id)
    assert (reply.reply_to_id, reply.visibility) == (first.id, Visibility.FOLLOWERS)


async def test_a_reply_from_the_thread_returns_to_it(hers: Browser, bob: Account, alice: Account):
    first = await posts.publish(bob, Draft("Hello"))
    answer = await hers.submit(f"/@bob/{first.id}", "/publish", source="@bob hi")
    reply = await Post.get(author_id=alice.id)

    assert answer.location == f"/@bob/{first.id}#p{reply.id}"
    assert f"p{reply.id}" in (await hers.follow(answer)).ids


async def test_a_reply_to_what_is_gone_keeps_its_text(hers: Browser, bob: Account):
    first = await posts.publish(bob, Draft("Hello"))
    page = await hers.open(f"/@bob/{first.id}")
    await posts.delete(bob, first.id)
    answer = await hers.send_form(page, "/publish", 404, source="@bob too late")

    assert "not there any more" in answer.text
    assert answer.form("/publish").value("source") == "@bob too late"
    await hers.send_form(answer, "/publish", in_reply_to=None)


async def test_what_one_may_not_see_cannot_be_answered(hers: Browser, bob: Account):
    secret = await posts.publish(bob, Draft("Psst", visibility=Visibility.DIRECT))
    await hers.open(f"/publish?in_reply_to={secret.id}", 404)
    answer = await hers.submit("/publish", "/publish", 404, source="What?", in_reply_to=str(secret.id))

    assert "Psst" not in answer.html
    assert await Post.filter(source="What?").count() == 0


async def test_an_edit_changes_the_text_and_keeps_the_history(
    hers: Browser, alice: Account, worker: None, picture: bytes
):
    await hers.submit(
        "/home", "/publish", source="Befor", file_1=File(picture), alt_of_1="Old", language="en"
    )
    post = await the_post()
    path = f"/@alice/{post.id}/edit"
    page = await hers.open(path)
    form = page.form(path)
    assert (form.value("source"), form.value("language")) == ("Befor", "en")
    assert "visibility" not in dict(form.fields)

    number = form.value("media")
    answer = await hers.send_form(page, path, source="Before", **{f"alt-{number}": "New"})
    assert answer.location == f"/@alice/{post.id}"
    assert (await the_post()).source == "Before"
    assert (await Media.get()).description == "New"
    history = await hers.open(f"/@alice/{post.id}/history")
    assert "Befor" in history.text and "Original" in history.text


async def test_an_edit_that_is_too_long_changes_nothing(hers: Browser, alice: Account):
    post = await posts.publish(alice, Draft("Short"))
    path = f"/@alice/{post.id}/edit"
    answer = await hers.submit(path, path, 422, source="f" * 501)

    assert answer.form(path).value("source") == "f" * 501
    assert (await the_post()).source == "Short"


async def test_editing_a_poll_keeps_its_votes_when_the_question_stays(
    hers: Browser, alice: Account, bob: Account
):
    await hers.submit("/publish", "/publish", source="Tee?", option=["Yes", "No"])
    post = await the_post()
    path = f"/@alice/{post.id}/edit"
    page = await hers.open(path)
    assert page.form(path).values("option")[:2] == ["Yes", "No"]
    await hers.send_form(page, path, source="Tea?")

    body = (await views.bodies([post.id]))[post.id]
    assert body.poll is not None and body.poll.options == ("Yes", "No")


async def test_nobody_edits_what_others_wrote(hers: Browser, bob: Account):
    post = await posts.publish(bob, Draft("His"))
    path = f"/@bob/{post.id}/edit"
    await hers.open(path, 404)
    await hers.post_parts(path, [("csrf", await hers.token()), ("source", "Hers")], 404)
    assert (await the_post()).source == "His"


async def test_deleting_asks_first_and_tells_afterwards(hers: Browser, alice: Account):
    post = await posts.publish(alice, Draft("Oops"))
    path = f"/@alice/{post.id}/delete"
    asked = await hers.open(path)
    assert "Oops" in asked.text and await Post.all().count() == 1

    answer = await hers.send_form(asked, path, redraft=None)
    assert await Post.all().count() == 0
    assert "The post is deleted." in (await hers.follow(answer)).text
    await hers.open(f"/@alice/{post.id}", 404)


async def test_deleting_to_write_again_brings_everything_back_into_the_form(
    hers: Browser, worker: None, picture: bytes
):
    await hers.submit(
        "/publish", "/publish", source="Typo", visibility="1", file_1=File(picture), alt_of_1="A"
    )
    post = await the_post()
    path = f"/@alice/{post.id}/delete"
    answer = await hers.submit(path, path, 200, redraft="1")
    form = answer.form("/publish")
    assert (form.value("source"), form.value("visibility")) == ("Typo", "1")

    await hers.send_form(answer, "/publish", source="No typo")
    fresh = await the_post()
    assert fresh.id != post.id
    assert [file.description for file in (await views.bodies([fresh.id]))[fresh.id].media] == ["A"]


async def test_a_new_post_starts_as_the_writer_likes(hers: Browser):
    await hers.submit(
        "/settings/posting",
        "/settings/posting",
        default_visibility="1",
        default_language="eo",
        default_sensitive="1",
    )
    form = (await hers.open("/home")).form("/publish")
    assert (form.value("visibility"), form.value("language"), form.value("sensitive")) == ("1", "eo", "1")


async def test_many_forms_at_once_make_as_many_posts(hers: Browser):
    pages = [await hers.open("/home") for _ in range(5)]
    await asyncio.gather(
        *(hers.send_form(page, "/publish", source=f"Number {number}") for number, page in enumerate(pages))
    )
    assert await db.value("SELECT count(*) FROM post") == 5


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that unpacks to gigabytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
