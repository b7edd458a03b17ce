"""Mails about mentions: who gets one, when, and what stands in it. The SMTP server is a real one."""

import asyncio
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from fediblog import db, ids, moments
from fediblog import smtp as post_office
from fediblog.config import Config
from fediblog.errors import Unavailable
from fediblog.models import Account, Visibility
from fediblog.services import blocks, mail, mutes, posts
from fediblog.services.composing import Draft
from tests.harness.mail import MailServer
from tests.people import person, remote, user_of
from tests.services.mailbox import Clock, clock, deliver, mention, notify, owed, states

__all__ = ["clock"]

BOB = "bob@mail.example"


@pytest.fixture(autouse=True)
def _mail_is_configured(database: None, configure: Callable[..., Config], smtp: MailServer) -> None:
    configure(mail__url=smtp.url)


class Links(HTMLParser):
    """Collects the addresses that a page links to and the tags it has."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]


async def test_a_mention_is_mailed_at_once_and_only_once(
    alice: Account, bob: Account, smtp: MailServer
) -> None:
    post = await mention(alice, bob, content="<p>Hello <b>Bob</b>, come &amp; see</p>")

    await deliver()
    await deliver()

    [mail_] = smtp.to(BOB)
    assert mail_.message["Subject"] == "Alice mentioned you"
    for text in (mail_.text(), mail_.text("html")):
        assert "Alice" in text and "@alice" in text
        assert f"http://localhost:8000/@alice/{post.id}" in text
    assert "    Hello Bob, come & see" in mail_.text()
    assert "Hello Bob, come &amp; see" in mail_.text("html")
    assert await owed() == []
    assert await states() == ["sent"]


async def test_publishing_is_enough(alice: Account, bob: Account, smtp: MailServer) -> None:
    post = await posts.publish(alice, Draft("Good morning @bob, look: https://example.org/a"))
    await posts.edit(alice, post.id, Draft("Good evening @bob, look: https://example.org/a"))
    await deliver()

    [mail_] = smtp.mails
    assert "    Good evening @bob, look: https://example.org/a" in mail_.text().splitlines()


async def test_a_direct_post_is_mailed_without_its_text(
    alice: Account, bob: Account, smtp: MailServer
) -> None:
    await posts.publish(alice, Draft("the secret word @bob", visibility=Visibility.DIRECT))
    await deliver()
    [mail_] = smtp.mails
    assert "secret" not in mail_.text() + mail_.text("html")


async def test_who_is_blocked_before_the_mail_goes_is_not_mailed(
    alice: Account, bob: Account, smtp: MailServer
) -> None:
    await posts.publish(alice, Draft("hey @bob"))
    await blocks.block(bob, alice)
    await posts.publish(alice, Draft("hey again @bob"))
    await deliver()
    assert smtp.attempts == 0


async def test_the_headers_say_that_a_machine_writes_and_how_to_stop_it(
    alice: Account, bob: Account, smtp: MailServer
) -> None:
    await mention(alice, bob)
    await deliver()

    message = smtp.mails[0].message
    assert message["From"].addresses[0].addr_spec == "fediblog@localhost"
    assert message["From"].addresses[0].display_name == "fediblog"
    assert message["To"] == BOB
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Id"] == "<mention.localhost>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert abs(message["Date"].datetime.timestamp() * 1000 - moments.now()) < 60_000
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


async def test_the_link_that_stops_mails_arrives_in_one_piece(
    alice: Account, bob: Account, smtp: MailServer, configure: Callable[..., Config]
) -> None:
    long = "a.very.long.name.of.a.server.in.the.deep.woods.of.the.north.example"
    configure(mail__url=smtp.url, domain=long, base_url=f"https://{long}")
    await mention(alice, bob)
    await deliver()

    user = await user_of(bob)
    link = f"https://{long}/unsubscribe?token={mail.unsubscribe_token(user.id, 'mention')}"
    assert f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in smtp.mails[0].raw
    assert link in smtp.mails[0].text()
    assert link in Links(smtp.mails[0].text("html")).addresses


async def test_all_links_are_absolute_and_lead_to_us(alice: Account, bob: Account, smtp: MailServer) -> None:
    await mention(alice, bob)
    await deliver()

    addresses = Links(smtp.mails[0].text("html")).addresses
    assert len(addresses) == 4
    assert {urlsplit(address).netloc for address in addresses} == {"localhost:8000"}


async def test_somebody_from_elsewhere_is_linked_to_their_page_here(bob: Account, smtp: MailServer) -> None:
    erin = await remote("Erin", "far.example")
    post = await mention(erin, bob)
    await deliver()

    assert f"http://localhost:8000/@Erin@far.example/{post.id}" in smtp.mails[0].text()
    assert "@Erin@far.example" in smtp.mails[0].text()


async def test_mentions_of_the_next_minutes_come_together(
    alice: Account, bob: Account, carol: Account, smtp: MailServer, clock: Clock
) -> None:
    await mention(alice, bob, content="first")
    await deliver()
    clock.forward(moments.MINUTE)
    await mention(alice, bob, content="second")
    await mention(carol, bob, content="third")
    await deliver()
    assert len(smtp.mails) == 1

    clock.forward(4 * moments.MINUTE)
    await deliver()
    await deliver()

    assert len(smtp.mails) == 2
    assert smtp.mails[1].message["Subject"] == "Alice and 1 other mentioned you"
    text = smtp.mails[1].text()
    assert "first" not in text
    assert text.index("second") < text.index("third")


async def test_after_a_quiet_time_the_next_mention_goes_at_once_again(
    alice: Account, bob: Account, smtp: MailServer, clock: Clock
) -> None:
    for _ in range(3):
        await mention(alice, bob)
        await deliver()
        clock.forward(5 * moments.MINUTE)
    assert len(smtp.mails) == 3


async def test_each_reader_has_their_own_pace(
    alice: Account, bob: Account, carol: Account, smtp: MailServer
) -> None:
    await mention(alice, bob)
    await deliver()
    await mention(alice, carol)
    await deliver()
    assert [mail_.recipients for mail_ in smtp.mails] == [[BOB], ["carol@mail.example"]]


async def test_twenty_mentions_in_the_same_moment_make_one_mail(
    alice: Account, bob: Account, smtp: MailServer
) -> None:
    await asyncio.gather(*(mention(alice, bob, content=f"number {n}!") for n in range(20)))
    assert len(await owed()) == 1
    await deliver()

    assert len(smtp.mails) == 1
    assert smtp.mails[0].message["Subject"] == "Alice mentioned you 20 times"
    assert all(f"number {n}!" in smtp.mails[0].text() for n in range(20))


async def test_a_mail_shows_twenty_mentions_and_counts_the_rest(
    alice: Account, bob: Account, smtp: MailServer
) -> None:
    for number in range(23):
        await mention(alice, bob, content=f"number {number}!")
    await deliver()

    assert smtp.mails[0].text().count("mentioned you") == 20
    assert "And 3 more: http://localhost:8000/notifications" in smtp.mails[0].text()
    assert "And 3 more" in smtp.mails[0].text("html")


async def test_who_is_mentioned_while_the_mail_is_on_its_way_gets_the_next_one(
    alice: Account, bob: Account, smtp: MailServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile = interrupted(monkeypatch, lambda: mention(alice, bob, content="second"))
    await mention(alice, bob, content="first")
    await deliver()
    assert meanwhile.happened
    assert len(smtp.mails) == 1

    clock.forward(5 * moments.MINUTE)
    await deliver()

    assert ["first" in mail_.text() for mail_ in smtp.mails] == [True, False]
    assert ["second" in mail_.text() for mail_ in smtp.mails] == [False, True]


class interrupted:  # noqa: N801
    """Lets something happen once, after a mail was composed and before the mail server gets it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, happening: Callable[[], Awaitable[object]]) -> None:
        self.happened = False
        self._happening = happening
        self._send = post_office.send
        monkeypatch.setattr(post_office, "send", self)

    async def __call__(self, message: EmailMessage) -> None:
        if not self.happened:
            self.happened = True
            await self._happening()
        await self._send(message)


@pytest.mark.parametrize("level", [Visibility.PUBLIC, Visibility.UNLISTED])
async def test_what_everybody_may_read_is_quoted(
    alice: Account, bob: Account, smtp: MailServer, level: Visibility
) -> None:
    await mention(alice, bob, content="<p>The cake is ready</p>", visibility=level)
    await deliver()
    assert "The cake is ready" in smtp.mails[0].text()


@pytest.mark.parametrize("level", [Visibility.FOLLOWERS, Visibility.DIRECT])
async def test_no_text_of_a_private_post_goes_by_mail(
    alice: Account, bob: Account, smtp: MailServer, level: Visibility
) -> None:
    post = await mention(alice, bob, content="<p>The cake is a lie</p>", visibility=level, summary="cake!")
    await deliver()

    [mail_] = smtp.mails
    whole = mail_.text() + mail_.text("html") + str(mail_.message["Subject"]) + mail_.raw.decode()
    assert "cake" not in whole and "lie" not in whole
    assert f"/@alice/{post.id}" in mail_.text()
    assert (
        "for followers only" if level == Visibility.FOLLOWERS else "only those it mentions"
    ) in mail_.text()


async def test_behind_a_content_warning_only_the_warning_is_mailed(
    alice: Account, bob: Account, smtp: MailServer
) -> None:
    await mention(alice, bob, content="<p>The butler</p>", summary="Who did it")
    await deliver()
    for form in ("plain", "html"):
        assert "Content warning: Who did it" in smtp.mails[0].text(form)
        assert "butler" not in smtp.mails[0].text(form)


async def test_a_long_post_is_cut(alice: Account, bob: Account, smtp: MailServer) -> None:
    await mention(alice, bob, content="<p>" + "word " * 2000 + "</p>")
    await deliver()
    assert "…" in smtp.mails[0].text()
    assert len(smtp.mails[0].raw) < 8000


REASONS = {
    "the post is gone": "DELETE FROM post WHERE id = $post",
    "the notification was dismissed": "DELETE FROM notification WHERE account_id = $reader",
    "the reader blocks the author": (
        "INSERT INTO block (account_id, target_id, id, uri, created_at) VALUES ($reader, $author, 1, 'b', 1)"
    ),
    "the author blocks the reader": (
        "INSERT INTO block (account_id, target_id, id, uri, created_at) VALUES ($author, $reader, 1, 'b', 1)"
    ),
    "the reader muted the author": (
        "INSERT INTO mute (account_id, target_id, id, notifications, created_at)"
        " VALUES ($reader, $author, 1, TRUE, 1)"
    ),
    "the reader muted the thread": "INSERT INTO thread_mute (account_id, thread_id) VALUES ($reader, $post)",
    "the author is suspended": "UPDATE account SET suspended_at = 1 WHERE id = $author",
    "the reader is suspended": "UPDATE account SET suspended_at = 1 WHERE id = $reader",
    "the reader's account is gone": "UPDATE account SET deleted_at = 1 WHERE id = $reader",
    "the user is switched off": "UPDATE person SET disabled_at = 1 WHERE id = $user",
    "the user is gone": "DELETE FROM person WHERE id = $user",
    "the user left the account": "DELETE FROM membership WHERE user_id = $user",
    "the user wants no such mail": "INSERT INTO mail_opt_out (user_id, kind) VALUES ($user, 'mention')",
}


@pytest.mark.parametrize("reason", REASONS)
async def test_nothing_is_mailed_when_meanwhile(
    alice: Account, bob: Account, smtp: MailServer, reason: str
) -> None:
    user = await user_of(bob)
    post = await mention(alice, bob)
    sql = REASONS[reason]
    for name, number in (("post", post.id), ("reader", bob.id), ("author", alice.id), ("user", user.id)):
        sql = sql.replace(f"${name}", str(number))
    async with db.transaction():
        await db.execute(sql)

    assert await deliver() == 0

    assert smtp.attempts == 0
    assert await states() == ["dropped"]
    assert await owed() == []


async def test_a_direct_post_is_not_mailed_to_whom_it_no_longer_mentions(
    alice: Account, bob: Account, smtp: MailServer
) -> None:
    await mention(alice, bob, visibility=Visibility.DIRECT)
    async with db.transaction():
        await db.execute("DELETE FROM mention")
    await deliver()
    assert smtp.attempts == 0


async def test_one_who_is_muted_for_timelines_only_is_mailed(
    alice: Account, bob: Account, smtp: MailServer
) -> None:
    await mutes.mute(bob, alice, notifications=False)
    await mention(alice, bob)
    await deliver()
    assert len(smtp.mails) == 1


async def test_what_is_left_of_a_batch_is_mailed(
    alice: Account, bob: Account, carol: Account, smtp: MailServer
) -> None:
    gone = await mention(alice, bob, content="gone")
    await mention(carol, bob, content="still here")
    await gone.delete()
    await deliver()
    assert smtp.mails[0].message["Subject"] == "Carol mentioned you"
    assert "gone" not in smtp.mails[0].text()


@pytest.mark.parametrize("fault", ["opted out", "not confirmed", "not approved", "switched off"])
async def test_no_mail_is_owed_to_one_who_is(alice: Account, bob: Account, fault: str) -> None:
    user = await user_of(bob)
    match fault:
        case "opted out":
            await mail.set_kinds(user, [])
        case "not confirmed":
            user.confirmed_at = None
        case "not approved":
            user.approved_at = None
        case "switched off":
            user.disabled_at = 1
    await user.save()

    await mention(alice, bob)

    assert await owed() == []
    assert await states() == []


async def test_somebody_from_elsewhere_has_no_mailbox_here(alice: Account) -> None:
    await mention(alice, await remote("erin", "far.example"))
    assert await owed() == []


async def test_a_mention_that_did_not_happen_owes_nothing(alice: Account, bob: Account) -> None:
    with pytest.raises(RuntimeError):
        async with db.transaction():
            await mention(alice, bob)
            raise RuntimeError("undone")
    assert await owed() == []
    assert await states() == []


async def test_a_post_is_mailed_once_even_when_it_notifies_anew(
    alice: Account, bob: Account, smtp: MailServer, clock: Clock
) -> None:
    post = await mention(alice, bob)
    await deliver()
    async with db.transaction():
        await db.execute("DELETE FROM notification")
        await notify(post, bob)
    clock.forward(moments.HOUR)
    await deliver()
    assert len(smtp.mails) == 1


async def test_everybody_who_shares_an_account_gets_a_mail(
    alice: Account, bob: Account, carol: Account, smtp: MailServer
) -> None:
    await join(await user_of(carol), bob)
    await mention(alice, bob)
    await deliver()
    assert sorted(smtp.mails[n].recipients[0] for n in range(2)) == [BOB, "carol@mail.example"]


async def test_one_person_with_two_accounts_gets_one_mail_about_a_post(
    alice: Account, bob: Account, carol: Account, smtp: MailServer, clock: Clock
) -> None:
    async with db.transaction():
        await db.execute("DELETE FROM membership WHERE account_id = $1", carol.id)
    await join(await user_of(bob), carol)
    await mention(alice, bob, carol)
    await deliver()
    assert len(smtp.mails) == 1

    await mention(alice, carol, content="one")
    await mention(alice, bob, content="two")
    clock.forward(moments.HOUR)
    await deliver()
    text = smtp.mails[1].text()
    assert "mentioned @carol" in text and "mentioned @bob" in text
    assert "somebody mentioned @bob, @carol on" in text


async def join(user: object, account: Account) -> None:
    async with db.transaction():
        await db.execute(
            "INSERT INTO membership (user_id, account_id, role) VALUES ($1, $2, 'owner')",
            user.id,  # type: ignore[attr-defined]
            account.id,
        )


async def test_mails_go_to_the_address_of_the_moment(alice: Account, bob: Account, smtp: MailServer) -> None:
    await mention(alice, bob)
    user = await user_of(bob)
    user.email = "new@mail.example"
    await user.save()
    await deliver()
    assert smtp.mails[0].recipients == ["new@mail.example"]


async def test_while_the_server_is_down_mails_wait_and_then_arrive_once(
    alice: Account, bob: Account, smtp: MailServer, clock: Clock
) -> None:
    smtp.stop()
    await mention(alice, bob, content="first")
    assert await deliver() == 1
    clock.forward(moments.MINUTE)
    assert await deliver() == 1
    await mention(alice, bob, content="second")
    assert await states() == ["waiting"]

    smtp.start()
    clock.forward(moments.HOUR)
    await deliver()
    clock.forward(moments.DAY)
    await deliver()

    [mail_] = smtp.mails
    assert "first" in mail_.text() and "second" in mail_.text()


async def test_a_server_that_is_busy_is_asked_again(
    alice: Account, bob: Account, smtp: MailServer, clock: Clock
) -> None:
    smtp.refuse = "451 later"
    await mention(alice, bob)
    assert await deliver() == 1
    smtp.refuse = None
    clock.forward(moments.MINUTE)
    assert await deliver() == 0
    assert len(smtp.mails) == 1
    assert smtp.attempts == 2


@pytest.mark.parametrize("which", ["refuse", "refuse_recipient"])
async def test_a_server_that_says_never_is_not_asked_again(
    alice: Account, bob: Account, smtp: MailServer, clock: Clock, which: str
) -> None:
    setattr(smtp, which, "550 no such person")
    await mention(alice, bob)
    assert await deliver() == 0
    clock.forward(moments.DAY)
    await deliver()
    assert smtp.attempts == 1
    assert await states() == ["refused"]
    assert await owed() == []


async def test_a_server_that_wants_us_to_sign_in_ends_nothing(
    alice: Account, bob: Account, smtp: MailServer
) -> None:
    smtp.refuse_recipient = "530 5.7.0 Authentication required"
    await mention(alice, bob)
    assert await deliver() == 1
    assert await states() == ["waiting"]


async def test_when_the_answer_is_lost_the_twin_can_be_recognised(
    alice: Account, bob: Account, smtp: MailServer, clock: Clock
) -> None:
    smtp.lose_answer = True
    await mention(alice, bob)
    assert await deliver() == 1
    smtp.lose_answer = False
    clock.forward(moments.HOUR)
    await deliver()
    clock.forward(moments.HOUR)
    await deliver()

    first, twin = smtp.mails
    assert first.message["Message-ID"] == twin.message["Message-ID"]


async def test_a_twin_with_news_in_it_is_no_twin(
    alice: Account, bob: Account, smtp: MailServer, clock: Clock
) -> None:
    smtp.lose_answer = True
    await mention(alice, bob)
    await deliver()
    smtp.lose_answer = False
    await mention(alice, bob)
    clock.forward(moments.HOUR)
    await deliver()

    first, second = smtp.mails
    assert first.message["Message-ID"] != second.message["Message-ID"]


async def test_after_three_days_a_mention_is_no_news(
    alice: Account, bob: Account, smtp: MailServer, clock: Clock
) -> None:
    smtp.stop()
    await mention(alice, bob, content="old")
    await deliver()
    clock.forward(2 * moments.DAY)
    await mention(alice, bob, content="young")
    await deliver()
    clock.forward(2 * moments.DAY)
    smtp.start()
    await deliver()

    [mail_] = smtp.mails
    assert "young" in mail_.text() and "old" not in mail_.text()


async def test_a_mail_that_never_found_a_server_is_dropped_in_the_end(
    alice: Account, bob: Account, smtp: MailServer, clock: Clock
) -> None:
    smtp.stop()
    await mention(alice, bob)
    await deliver()
    clock.forward(3 * moments.DAY + moments.MINUTE)
    await deliver()
    assert await states() == ["dropped"]
    assert await owed() == []


async def test_sending_a_mail_that_is_unknown_or_done_does_nothing(
    alice: Account, bob: Account, smtp: MailServer
) -> None:
    await mention(alice, bob)
    [mail_id] = await owed()
    await mail.send(mail_id)
    await mail.send(mail_id)
    await mail.send(ids.new())
    assert len(smtp.mails) == 1


async def test_two_hundred_people_get_one_mail_each(alice: Account, smtp: MailServer) -> None:
    people = [await person(f"p{number}") for number in range(200)]
    for start in range(0, 200, 40):
        await mention(alice, *people[start : start + 40])

    assert await deliver() == 0

    assert sorted(mail_.recipients[0] for mail_ in smtp.mails) == sorted(
        f"p{number}@mail.example" for number in range(200)
    )
    assert len({mail_.message["Message-ID"] for mail_ in smtp.mails}) == 200


NASTY_NAMES = [
    "Eve\r\nBcc: victim@mail.example",
    "Eve\nX-Evil: 1\n\nbody",
    "Eve\r\n.\r\nMAIL FROM:<x@y>",
    "Eve\u2028X-Evil: 1",
    "Eve\x0bX-Evil: 1",
    "Eve\x85X-Evil: 1",
    "Eve\x00\x1b[31m",
    "=?utf-8?q?Eve=0D=0ABcc=3A_victim=40mail=2Eexample?=",
    "=?utf-8?b?RXZlDQpCY2M6IHZpY3RpbUBtYWlsLmV4YW1wbGU=?=",
    "==??utf-8?q?Eve=0D=0ABcc=3A_victim=40mail=2Eexample?=",
]


@pytest.mark.parametrize("name", NASTY_NAMES)
async def test_a_name_cannot_write_headers(bob: Account, smtp: MailServer, name: str) -> None:
    # PostgreSQL takes no NUL; no other door lets one in either.
    eve = await person("eve", display_name=name.replace("\x00", ""))
    await mention(eve, bob)
    await deliver()

    [mail_] = smtp.mails
    assert mail_.recipients == [BOB]
    assert mail_.message["Bcc"] is None and mail_.message["X-Evil"] is None
    head = mail_.raw.split(b"\r\n\r\n")[0]
    names = {line.split(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))}
    # The X- headers are those of the server of the test.
    assert names - {b"X-Peer", b"X-MailFrom", b"X-RcptTo"} == {
        b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"MIME-Version",
        b"List-Id", b"List-Unsubscribe", b"List-Unsubscribe-Post", b"Content-Type",
    }  # fmt: skip
    assert b"\x1b" not in mail_.raw


@pytest.mark.parametrize(
    "title", ["News\r\nBcc: victim@mail.example", "=?utf-8?q?=0ABcc:x@y?=", 'a, b "c" <x@y.example>; (d)']
)
async def test_a_title_cannot_write_headers(
    alice: Account, bob: Account, smtp: MailServer, configure: Callable[..., Config], title: str
) -> None:
    configure(mail__url=smtp.url, web__site_title=title)
    await mention(alice, bob)
    await deliver()

    [mail_] = smtp.mails
    assert mail_.recipients == [BOB]
    assert mail_.message["Bcc"] is None
    [sender] = mail_.message["From"].addresses
    assert sender.addr_spec == "fediblog@localhost"
    assert sender.display_name == title.replace("\r\n", " ").replace("=?", "= ?")


NAMES = [
    "Zoë Ångström",
    "李小龍 " * 8,
    "👩‍👩‍👧‍👦🏳️‍🌈 Família",
    "عَرَبِيّ",
    'Quote " and \\ backslash, comma; <angle>',
    "x" * 500,
    "“" + "long name, with commas, and ünicode " * 20,
]


@pytest.mark.parametrize("name", NAMES)
async def test_names_of_all_kinds_arrive_as_they_are(bob: Account, smtp: MailServer, name: str) -> None:
    author = await person("author", display_name=name)
    await mention(author, bob)
    await deliver()

    [mail_] = smtp.mails
    shown = str(mail_.message["Subject"]).removesuffix(" mentioned you")
    assert shown.removesuffix("…") and " ".join(name.split()).startswith(shown.removesuffix("…"))
    assert f"{shown} (@author) mentioned you." in mail_.text()
    assert all(len(line) <= 998 for line in mail_.raw.split(b"\r\n"))
    assert mail_.raw.isascii()


async def test_markup_in_names_and_texts_is_shown_and_not_obeyed(bob: Account, smtp: MailServer) -> None:
    eve = await person("eve", display_name='<img src=x onerror="alert(1)">')
    await mention(eve, bob, content="<p>&lt;script&gt;alert(2)&lt;/script&gt;</p>")
    await deliver()

    page = Links(smtp.mails[0].text("html"))
    assert "script" not in page.tags and "img" not in page.tags
    assert "&lt;script&gt;" in smtp.mails[0].text("html")
    assert "<script>alert(2)</script>" in smtp.mails[0].text()


async def test_nothing_is_fetched_when_a_mail_is_opened(
    alice: Account, bob: Account, smtp: MailServer
) -> None:
    await mention(alice, bob, content='<p>see <img src="https://far.example/p.png"></p>')
    await deliver()
    page = Links(smtp.mails[0].text("html"))
    assert not {"img", "link", "script", "iframe"} & set(page.tags)
    assert "url(" not in smtp.mails[0].text("html")


async def test_without_a_mail_server_the_row_is_kept_and_no_work_is_owed(
    alice: Account, bob: Account, configure: Callable[..., Config]
) -> None:
    configure()
    await mention(alice, bob)
    assert (await states(), await owed()) == (["unsent"], [])


async def test_a_mail_whose_server_was_taken_away_is_kept_as_not_sent(
    alice: Account, bob: Account, configure: Callable[..., Config]
) -> None:
    await mention(alice, bob)
    configure()
    assert await deliver() == 0
    assert await states() == ["unsent"]
    assert await owed() == []


async def test_a_failure_names_nobody(alice: Account, bob: Account, smtp: MailServer) -> None:
    smtp.refuse_recipient = f"450 4.1.1 <{BOB}> try later"
    await mention(alice, bob)
    [mail_id] = await owed()
    with pytest.raises(Unavailable) as caught:
        await mail.send(mail_id)
    assert "bob" not in caught.value.message and "450" in caught.value.message
