"""Who may come in: every route of the staff's, asked by everybody else."""

import re
from collections.abc import Iterator

from quart import Quart

from fediblog import db
from fediblog.models import Account
from tests.api.conftest import AppOf

ALL = "read write follow push admin:read admin:write"


def doors(app: Quart) -> Iterator[tuple[str, str]]:
    """Each method and path below /admin, with numbers that lead nowhere."""
    for rule in app.url_map.iter_rules():
        if re.match(r"/api/v\d+/admin/", rule.rule):
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                yield method, re.sub(r"<[^>]*>", "4711", rule.rule)


async def test_who_is_not_of_the_staff_does_not_come_in_whatever_the_token_may_do(
    app: Quart, app_of: AppOf, alice: Account
) -> None:
    """Who has no token with the scope does not either: tests/api/test_scopes.py asks that of every route."""
    hers = await app_of(alice, ALL)
    asked = sorted(doors(app))
    assert len(asked) > 20
    for method, path in asked:
        assert (await hers.send(method, path)).status_code == 403, (method, path)
    assert await db.value("SELECT count(*) FROM audit_entry") == 0
