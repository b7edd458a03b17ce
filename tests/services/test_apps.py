"""Apps: what they may register, and that nobody learns their secrets from the database."""

from collections.abc import Callable
from typing import Any

import pytest

from fediblog import db
from fediblog.config import Config
from fediblog.errors import Invalid, TooMany
from fediblog.models import Account
from fediblog.services import apps, oauth, throttle, tokens, upkeep
from fediblog.services.apps import OUT_OF_BAND, App
from tests.people import user_of
from tests.services.mailbox import Clock, clock

__all__ = ["clock"]

CALLBACK = "https://elk.zone/callback"


async def registered(scopes: str = "read write", uri: str = CALLBACK) -> App:
    """An app like any other."""
    app, _ = await apps.register("Elk", [uri], scopes, "https://elk.zone")
    return app


@pytest.fixture
async def secure(configure: Callable[..., Config], database: None) -> None:
    """A server on https."""
    configure(domain="social.example", base_url="https://social.example")


async def test_an_app_is_found_again_by_its_id_and_known_by_its_secret(database: None) -> None:
    app, secret = await apps.register(
        " Elk ", [CALLBACK, "elk://x", CALLBACK], "write read", "https://elk.zone"
    )
    assert (app.name, app.website, app.redirect_uris) == ("Elk", "https://elk.zone", (CALLBACK, "elk://x"))
    assert app.scopes == {"read", "write"}
    assert await apps.find(app.client_id) == app
    assert await apps.authenticate(app.client_id, secret) == app


async def test_a_secret_is_kept_as_a_digest_and_shown_nowhere(database: None) -> None:
    app, secret = await apps.register("Elk", [CALLBACK])
    assert secret not in str(await db.rows("SELECT * FROM oauth_app"))
    assert secret not in repr(app) and app.secret_hash not in repr(app)
    assert app.scopes == {"read"}


@pytest.mark.parametrize("wrong", ["", "x", "\0", "\ud800"])
async def test_a_wrong_id_or_secret_names_no_app(database: None, wrong: str) -> None:
    app, secret = await apps.register("Elk", [CALLBACK])
    assert await apps.authenticate(app.client_id, wrong) is None
    assert await apps.authenticate(wrong, secret) is None
    assert await apps.authenticate(wrong, wrong) is None


@pytest.mark.parametrize(
    "uri",
    [
        OUT_OF_BAND,
        "https://elk.zone/a?b=c&d=%20e",
        "http://localhost:8080/",
        "http://127.0.0.1/x",
        "http://[::1]:9/x",
        "tusky://x",
        "mastodon-android-auth://callback",
        "com.example.app:/oauth",
        "icecubesapp://",
    ],
)
async def test_a_code_may_go_to_web_sites_and_to_programs_on_the_device(secure: None, uri: str) -> None:
    app, _ = await apps.register("x", [uri])
    assert app.redirect_uris == (uri,)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "elk.zone",
        "//elk.zone/",
        "/here",
        "https://elk.zone/#a",
        "https:///x",
        "https:elk.zone",
        "https://a:b@elk.zone/",
        "https://elk.zone:x/",
        "https://[::1/",
        "http://elk.zone/",
        "http://localhost.evil.example/",
        "javascript:alert(1)",
        "JavaScript://x/%0aalert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "about:blank",
        "blob:https://x/y",
        "urn:ietf:wg:oauth:2.0:oob:more",
        "https://elk.zone/ä",
        'https://elk.zone/"><b>',
        "https://elk.zone/\r\nSet-Cookie: x=y",
        "https://elk.zone/" + "x" * 2000,
    ],
)
async def test_a_code_may_go_nowhere_else(secure: None, uri: str) -> None:
    with pytest.raises(Invalid) as refused:
        await apps.register("x", [CALLBACK, uri])
    assert set(refused.value.fields) == {"redirect_uris"}
    assert await db.value("SELECT count(*) FROM oauth_app") == 0


async def test_a_server_without_https_lets_codes_go_without(database: None) -> None:
    assert (await registered(uri="http://elk.zone/")).redirect_uris == ("http://elk.zone/",)


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("client_name", {"name": " "}),
        ("client_name", {"name": "x" * 61}),
        ("redirect_uris", {"redirect_uris": []}),
        ("redirect_uris", {"redirect_uris": [f"x{i}://y" for i in range(21)]}),
        ("scopes", {"scopes": "read everything"}),
        ("website", {"website": "javascript:alert(1)"}),
        ("website", {"website": "elk"}),
        ("website", {"website": "https://elk.zone/#" + "x" * 9_000}),
    ],
)
async def test_what_is_wrong_is_told_by_its_name(database: None, field: str, given: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        await apps.register(**{"name": "Elk", "redirect_uris": [CALLBACK], **given})
    assert set(refused.value.fields) == {field}


async def test_very_many_from_one_network_have_to_wait(database: None) -> None:
    bucket = throttle.bucket("apps", "192.0.2.7")
    for _ in range(30):
        await throttle.hit(bucket, 30, 600)
    with pytest.raises(TooMany):
        await apps.register("x", [CALLBACK], address="192.0.2.7")
    await apps.register("x", [CALLBACK], address="192.0.2.8")


@pytest.mark.parametrize(
    ("uri", "leads_to"),
    [
        ("https://elk.zone/a?b", "https://elk.zone"),
        ("https://Elk.zone:444/a", "https://elk.zone:444"),
        ("http://localhost:8/", "http://localhost:8"),
        ("http://[::1]:8/", "http:"),
        ("https://a;b/", "https:"),
        ("tusky://x", "tusky:"),
        (OUT_OF_BAND, ""),
    ],
)
def test_where_a_code_goes_can_stand_in_a_content_policy(uri: str, leads_to: str) -> None:
    assert apps.target(uri) == leads_to


async def test_apps_that_never_got_a_token_are_swept_after_a_day(alice: Account, clock: Clock) -> None:
    user = await user_of(alice)
    names = ["unused", "asked", "used", "signed out"]
    made = {name: (await apps.register(name, [CALLBACK]))[0] for name in names}
    await tokens.create(alice, user, "read", made["used"].id)
    await tokens.revoke(await tokens.create(alice, user, "read", made["signed out"].id))
    await upkeep.prune()
    assert await db.value("SELECT count(*) FROM oauth_app") == 4

    clock.forward(apps.UNUSED)
    await oauth.grant(oauth.Wish(made["asked"], CALLBACK, frozenset(["read"])), user)
    await upkeep.prune()
    assert set(await db.column("SELECT name FROM oauth_app")) == {"asked", "used", "signed out"}

    clock.forward(oauth.LIFETIME + oauth.REMEMBERED)
    await upkeep.prune()
    assert set(await db.column("SELECT name FROM oauth_app")) == {"used", "signed out"}
    assert await db.value("SELECT count(*) FROM oauth_code") == 0
