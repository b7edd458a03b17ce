"""A worker that is killed in the middle of many mails: nobody goes without, and twins are rare and known."""

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from fediblog import db
from fediblog.config import Config
from fediblog.models import Account
from fediblog.services import work
from tests.harness import processes
from tests.harness.mail import MailServer
from tests.people import person
from tests.services.mailbox import OWNER, deliver, mention, owed, states

MANY = 200


def environment(config: Config) -> dict[str, str]:
    """What another process needs to work with the same data."""
    return {
        **os.environ,
        "FEDIBLOG__DOMAIN": config.domain,
        "FEDIBLOG__BASE_URL": config.base_url,
        "FEDIBLOG__SECRET_KEY": config.secret_key.get_secret_value(),
        "FEDIBLOG__DATA_DIR": str(config.data_dir),
        "FEDIBLOG__DATABASE__URL": config.database_url,
        "FEDIBLOG__MAIL__URL": config.mail.url.get_secret_value(),
    }


@pytest.mark.parametrize("moment", [1, 60, 130])
async def test_a_killed_worker_loses_no_mail(
    alice: Account, smtp: MailServer, configure: Callable[..., Config], moment: int
) -> None:
    config = configure(mail__url=smtp.url)
    async with db.transaction():
        people = [await person(f"p{number}") for number in range(MANY)]
        for start in range(0, MANY, 50):
            await mention(alice, *people[start : start + 50])
    worker = processes.start(
        [sys.executable, "-m", "tests.services.mail_worker"],
        env=environment(config),
        cwd=Path(__file__).parents[2],
    )
    await smtp.wait(moment, seconds=60)
    worker.send_signal(signal.SIGKILL)
    worker.wait()

    at_death = len(smtp.mails)
    assert at_death < MANY
    await work.release(OWNER)
    await deliver()

    assert await owed() == []
    assert Counter(await states()) == {"sent": MANY}
    arrived = Counter(mail.recipients[0] for mail in smtp.mails)
    assert len(arrived) == MANY
    # Each of the eight that were on their way may have been taken by the server and not noted by us.
    twins = [address for address, times in arrived.items() if times > 1]
    assert len(twins) <= 8 and max(arrived.values()) <= 2
    for address in twins:
        first, second = smtp.to(address)
        assert first.message["Message-ID"] == second.message["Message-ID"]
        assert first in smtp.mails[:at_death]
    print(f"killed after {at_death} mails: {len(twins)} twins")
