"""What the server tells of itself: peers, rules, weeks, long texts, and posts for other sites' pages."""

import hashlib
from urllib.parse import quote

import pytest

from fediblog import moments
from fediblog.errors import Invalid
from fediblog.models import Account
from fediblog.services import domain_rules, peers, settings, statistics
from fediblog.services.domain_rules import Rule
from fediblog.services.domains import Level
from tests.api.conftest import AppOf
from tests.people import remote

BASE = "/api/v1/instance"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    """No test hears what another one knew."""
    peers.forget()
    settings.forget()


async def test_peers_are_the_servers_we_know_but_for_those_that_are_blocked(app_of: AppOf) -> None:
    for domain in ("b.example", "a.example", "bad.example", "sub.bad.example"):
        await remote("x", domain)
    await domain_rules.make(Rule("bad.example", Level.SUSPEND), None)
    nobody = await app_of()
    assert await nobody.get(f"{BASE}/peers") == ["a.example", "b.example"]
    await settings.change(None, peers_shown=False)
    await nobody.get(f"{BASE}/peers", 404)


async def test_rules_are_shown_to_those_for_whom_the_staff_means_them(app_of: AppOf, alice: Account) -> None:
    await domain_rules.make(Rule("quiet.example", Level.SILENCE), None)
    await domain_rules.make(Rule("evil.example", Level.SUSPEND, public_comment="Spam", obfuscate=True), None)
    await domain_rules.make(Rule("plain.example", Level.NONE, private_comment="secret"), None)
    nobody, hers = await app_of(), await app_of(alice)
    for one in (nobody, hers):
        await one.get(f"{BASE}/domain_blocks", 404)
    await settings.change(None, blocks_shown="members")
    await nobody.get(f"{BASE}/domain_blocks", 404)
    evil = {
        "domain": "evi*.****ple",
        "digest": hashlib.sha256(b"evil.example").hexdigest(),
        "severity": "suspend",
        "comment": "Spam",
    }
    found = await hers.get(f"{BASE}/domain_blocks")
    assert found[0] == evil and [one["severity"] for one in found] == ["suspend", "silence"]
    await settings.change(None, blocks_shown="everybody")
    assert await nobody.get(f"{BASE}/domain_blocks") == found
    with pytest.raises(Invalid):
        await settings.change(None, blocks_shown="some")


async def test_activity_is_that_of_twelve_weeks_in_texts(app_of: AppOf, alice: Account) -> None:
    hers = await app_of(alice)
    for _ in range(2):
        await hers.post("/api/v1/statuses", json={"status": "x"})
    await statistics.compute_day(moments.day(moments.now()))
    weeks = await (await app_of()).get(f"{BASE}/activity")
    assert len(weeks) == 12 and set(weeks[0]) == {"week", "statuses", "logins", "registrations"}
    assert (weeks[0]["statuses"], weeks[0]["logins"], weeks[1]["statuses"]) == ("2", "1", "0")
    assert moments.when(int(weeks[0]["week"]) * 1000).weekday() == 0
    assert int(weeks[0]["week"]) - int(weeks[1]["week"]) == 7 * 86_400


async def test_long_texts_are_there_when_they_were_written(app_of: AppOf) -> None:
    nobody = await app_of()
    for name in ("privacy_policy", "terms_of_service"):
        await nobody.get(f"{BASE}/{name}", 404)
    assert await nobody.get(f"{BASE}/extended_description") == {"updated_at": None, "content": ""}
    await settings.change(
        None, description="About <us>", privacy_policy="We\n\nkeep nothing", terms="Be kind"
    )
    assert "&lt;us&gt;" in (await nobody.get(f"{BASE}/extended_description"))["content"]
    assert (await nobody.get(f"{BASE}/privacy_policy"))["content"] == "<p>We</p><p>keep nothing</p>"
    assert "Be kind" in (await nobody.get(f"{BASE}/terms_of_service"))["content"]
    assert await nobody.get(f"{BASE}/translation_languages") == {}


async def test_a_public_post_can_stand_on_another_site(app_of: AppOf, alice: Account) -> None:
    hers, nobody = await app_of(alice), await app_of()
    post = await hers.post("/api/v1/statuses", json={"status": "Hi <b> there", "spoiler_text": 'A "w'})
    found = await nobody.get(f"/api/oembed?url={quote(post['url'])}&maxwidth=300")
    assert (found["type"], found["version"], found["width"], found["height"]) == ("rich", "1.0", 300, None)
    assert found["author_name"] == "Alice" and found["title"] == 'A "w'
    assert "<summary>A &quot;w</summary>" in found["html"] and "&lt;b&gt;" in found["html"]
    assert (await nobody.get(f"/api/oembed?url={quote(post['uri'])}"))["html"] == found["html"]

    secret = await hers.post("/api/v1/statuses", json={"status": "x", "visibility": "private"})
    boost = await hers.post(f"/api/v1/statuses/{post['id']}/reblog")
    for url in (secret["url"], boost["url"], alice.url, "https://far.example/@x/1", "", "nonsense"):
        await nobody.get(f"/api/oembed?url={quote(url)}", 404)
