"""Who wants which mails, and the link that stops them."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from fediblog import db, keys
from fediblog.config import Config, settings
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account
from fediblog.services import mail
from tests.harness.mail import MailServer
from tests.people import user_of
from tests.services.mailbox import deliver, mention, states


async def test_everybody_gets_mails_until_they_say_no(bob: Account) -> None:
    user = await user_of(bob)
    assert await mail.wanted(user) == {"mention"}
    await mail.set_kinds(user, [])
    assert await mail.wanted(user) == set()
    await mail.set_kinds(user, ["mention"])
    assert await mail.wanted(user) == {"mention"}


async def test_each_kind_has_a_sentence_for_the_settings() -> None:
    assert [kind.name for kind in mail.kinds()] == ["mention"]
    assert all(kind.sentence.endswith(".") for kind in mail.kinds())


async def test_a_kind_that_does_not_exist_is_refused_and_nothing_changes(bob: Account) -> None:
    user = await user_of(bob)
    with pytest.raises(Invalid) as caught:
        await mail.set_kinds(user, ["gossip"])
    assert "kinds" in caught.value.fields
    assert await mail.wanted(user) == {"mention"}


async def test_the_link_in_the_mail_stops_the_mails(
    alice: Account, bob: Account, smtp: MailServer, configure: Callable[..., Config]
) -> None:
    configure(mail__url=smtp.url)
    await mention(alice, bob)
    await deliver()
    address = urlsplit(smtp.mails[0].message["List-Unsubscribe"].strip("<>"))
    [token] = parse_qs(address.query)["token"]

    user, kind = await mail.unsubscribe(token)

    assert (user.id, kind.name) == ((await user_of(bob)).id, "mention")
    assert await mail.wanted(user) == set()
    await mention(alice, bob)
    assert await states() == ["sent"]


async def test_stopping_twice_is_the_same_as_once(bob: Account) -> None:
    user = await user_of(bob)
    token = mail.unsubscribe_token(user.id, "mention")
    await mail.unsubscribe(token)
    await mail.unsubscribe(token)
    assert await db.value("SELECT count(*) FROM mail_opt_out") == 1


async def test_looking_at_a_link_stops_nothing(bob: Account) -> None:
    user = await user_of(bob)
    found, kind = await mail.holder(mail.unsubscribe_token(user.id, "mention"))
    assert (found.id, kind.name) == (user.id, "mention")
    assert await mail.wanted(user) == {"mention"}


async def test_one_may_want_the_mails_again_and_the_old_link_still_works(bob: Account) -> None:
    user = await user_of(bob)
    token = mail.unsubscribe_token(user.id, "mention")
    await mail.unsubscribe(token)
    await mail.set_kinds(user, ["mention"])
    await mail.unsubscribe(token)
    assert await mail.wanted(user) == set()


async def test_a_forged_link_is_refused(alice: Account, bob: Account) -> None:
    hers, his = (await user_of(alice)).id, (await user_of(bob)).id
    signature = mail.unsubscribe_token(hers, "mention").rpartition(".")[2]
    elsewhere = keys.sign(settings().secret, "another purpose", f"{his}.mention")
    for token in (
        "",
        ".",
        "..",
        "nonsense",
        f"{his}.mention.",
        f"{his}.mention.{signature}",
        f"{his}.mention.{elsewhere}",
        f"{hers}.mention.{signature}x",
        f"{hers}.mention.{signature[:-1]}",
        f"0{hers}.mention.{signature}",
        f" {hers}.mention.{signature}",
        f"{hers}.mention.mention.{signature}",
        f"{hers}.gossip.{keys.sign(settings().secret, 'unsubscribe', f'{hers}.gossip')}",
        f"{hers}.mention.ünïcödé",
        "x" * 10_000,
        "\x00.mention.\ud800",
    ):
        with pytest.raises(NotFound):
            await mail.unsubscribe(token)
    assert await db.value("SELECT count(*) FROM mail_opt_out") == 0


async def test_the_link_of_somebody_who_is_gone_is_refused(bob: Account) -> None:
    user = await user_of(bob)
    token = mail.unsubscribe_token(user.id, "mention")
    await user.delete()
    with pytest.raises(NotFound):
        await mail.unsubscribe(token)
