"""Servers, networks and addresses of e-mail that the staff keeps out, by its apps."""

import pytest
from quart import Quart

from fediblog.errors import Forbidden, Invalid
from fediblog.services import address_blocks, domains, settings, signups
from fediblog.services.settings import Mode
from tests.api.conftest import App, AppOf
from tests.people import person
from tests.services.newcomers import HERE, audited, form, sign_up

DOMAIN_BLOCK = """id domain digest created_at severity reject_media reject_reports private_comment
public_comment obfuscate"""
ROOMS = ("domain_blocks", "domain_allows", "email_domain_blocks", "canonical_email_blocks", "ip_blocks")


@pytest.fixture
async def chiefs(app_of: AppOf) -> App:
    """An admin's app, on a server that takes everybody."""
    domains.forget()
    await settings.change(None, registration=Mode.OPEN.value)
    return await app_of(await person("chief", role="admin"), "admin:read admin:write")


async def test_moderators_do_not_see_what_is_for_admins(app_of: AppOf) -> None:
    hers = await app_of(await person("mona", role="moderator"), "admin:read admin:write")
    for room in ROOMS:
        await hers.get(f"/api/v1/admin/{room}", 403)
        await hers.post(f"/api/v1/admin/{room}", 403, json={"domain": "bad.example"})


async def test_a_server_is_blocked_changed_and_let_in_again(chiefs: App) -> None:
    path = "/api/v1/admin/domain_blocks"
    made = await chiefs.post(path, data="domain=Bad.Example&public_comment=Spam&obfuscate=1")
    assert set(made) == set(DOMAIN_BLOCK.split())
    assert (made["domain"], made["severity"], made["public_comment"]) == ("bad.example", "silence", "Spam")
    assert (made["obfuscate"], made["private_comment"]) == (True, None)
    assert (await domains.policy("bad.example")).level is domains.Level.SILENCE

    one = f"{path}/{made['id']}"
    changed = await chiefs.put(one, json={"severity": "suspend", "reject_media": "true"})
    assert changed == {**made, "severity": "suspend", "reject_media": True}
    assert await chiefs.get(path) == [changed] and await chiefs.get(one) == changed
    assert await domains.refused("bad.example")
    assert await chiefs.delete(one) == {}
    await chiefs.get(one, 404)
    assert not await domains.refused("bad.example")
    assert (await audited())[1:] == ["domain.limit", "domain.block", "domain.lift"]


async def test_a_block_that_is_none_is_refused(chiefs: App) -> None:
    path = "/api/v1/admin/domain_blocks"
    await chiefs.post(path, json={"domain": "bad.example"})
    for refused in (
        {},
        {"domain": "no domain"},
        {"domain": "localhost:8000"},
        {"domain": "BAD.example", "severity": "suspend"},
        {"domain": "far.example", "severity": "hug"},
        {"domain": "far.example", "severity": "noop"},
    ):
        await chiefs.post(path, 422, json=refused)
    noop = await chiefs.post(path, json={"domain": "far.example", "severity": "noop", "reject_media": True})
    assert noop["severity"] == "noop"


async def test_a_server_is_allowed_and_a_block_is_no_allowance(chiefs: App) -> None:
    path = "/api/v1/admin/domain_allows"
    made = await chiefs.post(path, json={"domain": "good.example"})
    assert made == await chiefs.post(path, json={"domain": "good.example"})
    assert set(made) == {"id", "domain", "created_at"}
    assert await chiefs.get(path) == [made]
    blocked = await chiefs.post("/api/v1/admin/domain_blocks", json={"domain": "bad.example"})
    await chiefs.post(path, 422, json={"domain": "bad.example"})
    await chiefs.get(f"{path}/{blocked['id']}", 404)
    await chiefs.get(f"/api/v1/admin/domain_blocks/{made['id']}", 404)
    assert await chiefs.delete(f"{path}/{made['id']}") == {}
    assert await chiefs.get(path) == []


async def test_a_domain_of_mail_is_shut_out_or_has_to_wait(chiefs: App) -> None:
    path = "/api/v1/admin/email_domain_blocks"
    made = await chiefs.post(path, json={"domain": "throwaway.example"})
    assert set(made) == {"id", "domain", "created_at", "history", "allow_with_approval"}
    await chiefs.post(path, 422, json={"domain": "throwaway.example"})
    await chiefs.post(path, 422, json={"domain": ""})
    waits = await chiefs.post(path, json={"domain": "odd.example", "allow_with_approval": True})
    assert await chiefs.get(path) == [waits, made]
    for email in ("a@throwaway.example", "a@mail.ThrowAway.example"):
        with pytest.raises(Invalid):
            await sign_up(email=email)
    assert (await sign_up("otto", email="otto@odd.example")).approved_at is None
    assert (await sign_up("paul")).approved_at

    assert await chiefs.delete(f"{path}/{made['id']}") == {}
    await chiefs.get(f"{path}/{made['id']}", 404)
    assert (await sign_up("quinn", email="a@throwaway.example")).approved_at


async def test_a_mailbox_is_shut_out_under_all_its_spellings(chiefs: App) -> None:
    path = "/api/v1/admin/canonical_email_blocks"
    made = await chiefs.post(path, json={"email": "bad.guy@mail.example"})
    assert set(made) == {"id", "canonical_email_hash"}
    assert await chiefs.post(f"{path}/test", json={"email": "Badguy+x@mail.example"}) == [made]
    assert await chiefs.post(f"{path}/test", json={"email": "other@mail.example"}) == []
    with pytest.raises(Invalid):
        await sign_up(email="b.adguy+new@mail.example")
    for refused in (
        {},
        {"email": "nothing"},
        {"email": "badguy@mail.example"},
        {"canonical_email_hash": "12"},
    ):
        await chiefs.post(path, 422, json=refused)
    assert await chiefs.get(path) == [made] == [await chiefs.get(f"{path}/{made['id']}")]
    assert await chiefs.delete(f"{path}/{made['id']}") == {}
    again = await chiefs.post(path, json={"canonical_email_hash": made["canonical_email_hash"]})
    assert again["canonical_email_hash"] == made["canonical_email_hash"]


async def test_networks_are_kept_out_of_signing_up(chiefs: App) -> None:
    path = "/api/v1/admin/ip_blocks"
    made = await chiefs.post(
        path,
        json={"ip": "203.0.113.7/24", "severity": "sign_up_block", "comment": "Bots", "expires_in": 3600},
    )
    assert set(made) == {"id", "ip", "severity", "comment", "created_at", "expires_at"}
    assert (made["ip"], made["comment"]) == ("203.0.113.0/24", "Bots") and made["expires_at"]
    with pytest.raises(Forbidden):
        await sign_up("dora", "203.0.113.200")
    assert (await sign_up("dora", HERE)).approved_at

    one = f"{path}/{made['id']}"
    changed = await chiefs.put(one, json={"severity": "sign_up_requires_approval"})
    assert changed == {**made, "severity": "sign_up_requires_approval"}
    assert (await sign_up("erna", "::ffff:203.0.113.200")).approved_at is None
    assert await chiefs.get(path) == [changed] and await chiefs.delete(one) == {}
    await chiefs.get(one, 404)
    assert (await audited())[1:] == ["address.block", "address.change", "address.unblock"]


async def test_what_is_no_network_is_refused(chiefs: App) -> None:
    path = "/api/v1/admin/ip_blocks"
    await chiefs.post(path, json={"ip": "203.0.113.7", "severity": "no_access"})
    for refused in (
        {"ip": "nowhere", "severity": "no_access"},
        {"ip": "0.0.0.0/0", "severity": "no_access"},
        {"ip": "203.0.113.8", "severity": "hug"},
        {"ip": "203.0.113.7/32", "severity": "no_access"},
        {"ip": "203.0.113.8", "severity": "no_access", "expires_in": -1},
    ):
        await chiefs.post(path, 422, json=refused)


async def test_a_network_without_access_gets_no_page_no_answer_and_no_stream(
    app: Quart, chiefs: App, queries
) -> None:
    client = app.test_client()

    async def asked(path: str, address: str) -> int:
        answer = await client.get(path, scope_base={"client": (address, 1)})
        return answer.status_code

    made = await chiefs.post(
        "/api/v1/admin/ip_blocks", json={"ip": "2001:db8:1::/48", "severity": "no_access"}
    )
    for path in ("/", "/about", "/api/v2/instance", "/api/v1/streaming", "/nothing"):
        assert await asked(path, "2001:db8:1::5") == 403, path
        assert await asked(path, "2001:db8:2::5") != 403, path
    assert await asked("/livez", "2001:db8:1::5") == 200
    with pytest.raises(Forbidden):
        await signups.register(form(), "2001:db8:1::5")
    with queries() as sent:
        assert await asked("/about", "2001:db8:1::5") == 403
    assert len(sent) == 0
    await chiefs.delete(f"/api/v1/admin/ip_blocks/{made['id']}")
    assert await asked("/about", "2001:db8:1::5") == 200


async def test_a_block_ends_by_itself(chiefs: App, monkeypatch: pytest.MonkeyPatch) -> None:
    await chiefs.post(
        "/api/v1/admin/ip_blocks", json={"ip": "203.0.113.7", "severity": "no_access", "expires_in": 60}
    )
    assert await address_blocks.refused("203.0.113.7")
    now = address_blocks.moments.now()
    monkeypatch.setattr(address_blocks.moments, "now", lambda: now + 61_000)
    address_blocks.forget()
    assert not await address_blocks.refused("203.0.113.7")
    assert await chiefs.get("/api/v1/admin/ip_blocks") == []
