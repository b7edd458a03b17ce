"""Servers that one person does not want to see anything of.

Nobody of such a server stands in that person's lists or can follow them, nothing is told of what those people
do, and who of them followed does no longer. What the staff decides about servers for everybody is in
domain_rules.

Lists ask only the table `hidden`, so each account of the server gets a row there: the first ones at once, the
rest by owed work, and whoever of it comes later with their own row.
"""

from contextlib import suppress
from typing import NamedTuple

from fediblog import db, ids, moments
from fediblog.config import settings
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account
from fediblog.paging import Page
from fediblog.queue import Job
from fediblog.services import domains, follows, work

_BATCH = 500
_MOST = 1000
# Who came in the very moment in which the server was hidden is found by a second look.
_SECOND_LOOK = moments.MINUTE


class Domains(NamedTuple):
    """A page of domains, the last hidden first, and the ids of the rows to page by."""

    names: list[str]
    cursors: list[int]


async def hide(account: Account, typed: str) -> None:
    """Hide a server; twice is the same as once.

    Raises Invalid for what is no domain, for ours, and for too many.
    """
    domain = domains.tidy(typed)
    if domain in (settings().domain, settings().origin.partition("//")[2]):
        raise Invalid("This is our own server.", "domain")
    async with db.transaction():
        if await db.value(_HIDE, account.id, domain, ids.new()) is None:
            return
        if await db.value("SELECT count(*) FROM hidden_domain WHERE account_id = $1", account.id) > _MOST:
            raise Invalid(f"You can hide {_MOST} servers at most.")
        await db.execute(_HIDE_PEOPLE, account.id, domain, 0, _BATCH)
        await work.owe(Job.HIDE_DOMAIN, f"{account.id}:{domain}")
        await work.owe(Job.HIDE_DOMAIN, f"{account.id}:{domain} again", moments.now() + _SECOND_LOOK)


async def show(account: Account, typed: str) -> None:
    """Show a server again. Follows do not come back. Not hidden: nothing. Raises Invalid for what is none."""
    domain = domains.tidy(typed)
    async with db.transaction():
        gone = await db.value(_SHOW, account.id, domain)
        if gone is not None:
            await db.execute(_SHOW_PEOPLE, account.id, domain)


async def listing(account: Account, page: Page) -> Domains:
    """The servers that somebody hides."""
    found = await db.rows(
        "SELECT domain, id FROM hidden_domain WHERE account_id = $3 AND id < $1 AND id > $2"
        f" ORDER BY id {page.order} LIMIT {page.rows}",
        *(page.before, page.after, account.id),
    )
    found = sorted(found[: page.limit], key=lambda line: -line["id"])
    return Domains([line["domain"] for line in found], [line["id"] for line in found])


async def carry_out(key: str) -> None:
    """Hide everybody of a server and let nobody of it follow. Shown again meanwhile: nothing."""
    number, _, domain = key.removesuffix(" again").partition(":")
    account = await Account.get_or_none(id=int(number))
    if account is None:
        return
    after = 0
    while True:
        async with db.transaction():
            if await db.value(_IS_HIDDEN, account.id, domain) is None:
                return
            there = await db.column(_PEOPLE, domain, after, _BATCH)
            await db.execute(_HIDE_PEOPLE, account.id, domain, after, _BATCH)
        if not there:
            break
        after = there[-1]
    for table, end in (("follow_request", follows.reject), ("follow", follows.remove_follower)):
        for follower_id in await db.column(_FOLLOWERS.format(table=table), account.id, domain):
            with suppress(NotFound):  # They were quicker.
                await end(account, follower_id)


async def greet(newcomer: Account) -> None:
    """Hide an account that is new here from those who hide its server, as it is stored."""
    await db.execute(_GREET, newcomer.id, newcomer.domain)


_HIDE = """
INSERT INTO hidden_domain (account_id, domain, id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id
"""
_IS_HIDDEN = "SELECT 1 FROM hidden_domain WHERE account_id = $1 AND domain = $2"
_SHOW = "DELETE FROM hidden_domain WHERE account_id = $1 AND domain = $2 RETURNING id"
_PEOPLE = "SELECT id FROM account WHERE domain = $1 AND id > $2 ORDER BY id LIMIT $3"
_HIDE_PEOPLE = """
INSERT INTO hidden (account_id, target_id)
SELECT CAST($1 AS BIGINT), x.id
FROM (SELECT id FROM account WHERE domain = $2 AND id > $3 ORDER BY id LIMIT $4) x WHERE x.id > 0
ON CONFLICT DO NOTHING
"""
# Who is muted or blocked stays hidden for that.
_SHOW_PEOPLE = """
DELETE FROM hidden WHERE account_id = $1 AND target_id IN (SELECT a.id FROM account a WHERE a.domain = $2)
  AND NOT EXISTS (SELECT 1 FROM mute m WHERE m.account_id = $1 AND m.target_id = hidden.target_id)
  AND NOT EXISTS (SELECT 1 FROM block b WHERE b.account_id = $1 AND b.target_id = hidden.target_id)
  AND NOT EXISTS (SELECT 1 FROM block b WHERE b.account_id = hidden.target_id AND b.target_id = $1)
"""
_FOLLOWERS = """
SELECT f.follower_id FROM {table} f JOIN account a ON a.id = f.follower_id AND a.domain = $2
WHERE f.target_id = $1 ORDER BY f.follower_id
"""
_GREET = """
INSERT INTO hidden (account_id, target_id)
SELECT d.account_id, CAST($1 AS BIGINT) FROM hidden_domain d WHERE d.domain = $2 ON CONFLICT DO NOTHING
"""
