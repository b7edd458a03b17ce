"""Who may come in: every route of the staff's, asked by everybody else."""

import re
from collections.abc import Iterator

from quart import Quart

from fediblog import db
from fediblog.models import Account
from fediblog.services import tokens
from tests.api.conftest import App, AppOf
from tests.people import person

ALL = "read write follow push admin:read admin:write"


def doors(app: Quart) -> Iterator[tuple[str, str]]:
    """Each method and path below /admin, with numbers that lead nowhere."""
    for rule in app.url_map.iter_rules():
        if re.match(r"/api/v\d+/admin/", rule.rule):
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                yield method, re.sub(r"<[^>]*>", "4711", rule.rule)


async def test_nobody_but_the_staff_comes_in_and_none_without_the_scope(
    app: Quart, app_of: AppOf, alice: Account
) -> None:
    chief = await person("chief", role="admin")
    visitor, hers = await app_of(), await app_of(alice, ALL)
    without = await app_of(chief, "read write follow push")
    revoked = await app_of(chief, ALL)
    await tokens.revoke(revoked.token)
    asked = sorted(doors(app))
    assert len(asked) > 20
    for method, path in asked:
        for who, status in ((visitor, 401), (hers, 403), (without, 403), (revoked, 401)):
            answer = await who.send(method, path)
            assert answer.status_code == status, (method, path, status)
    assert await db.value("SELECT count(*) FROM audit_entry") == 0


async def test_a_scope_for_one_thing_is_none_for_another(app: Quart, app_of: AppOf) -> None:
    chief = await person("chief", role="admin")
    keys: dict[str, App] = {}
    for method, path in sorted(doors(app)):
        noun = path.split("/")[4]
        needed = f"admin:{'read' if method == 'GET' or path.endswith('/test') else 'write'}:{noun}"
        others = sorted(name for name in tokens.SCOPES if name.count(":") == 2 and name != needed)
        key = " ".join(others)
        if key not in keys:
            keys[key] = await app_of(chief, key)
        assert (await keys[key].send(method, path)).status_code == 403, (method, path)
