"""The commands that end by themselves: what they do, what they print, and with which code they end."""

import asyncio
import dataclasses
import time
import tomllib

import orjson
import pytest

from fediblog import __version__, db, house
from fediblog.cli import doctor
from fediblog.models import User
from fediblog.queue import Job
from fediblog.services import events, inbox_items, tokens, work
from fediblog.services.events import Event
from fediblog.services.inbox_items import New
from tests.people import PASSWORD, person

pytestmark = pytest.mark.once


def inside(act):
    """Do something with the services of the installation here."""

    async def run():
        async with house.opened(house.configuration_of()):
            return await act()

    return asyncio.run(run())


def create(site, name="alice", *more, password=PASSWORD):
    return site("accounts", "create", name, "--email", f"{name}@mail.example", *more, given=f"{password}\n")


# ------------------------------------------------------------------------------------------------- usage


def test_the_version(command):
    assert command("--version") == (0, f"fediblog {__version__}\n", "")


def test_wrong_usage_ends_with_2(command):
    for words in (["nonsense"], ["db", "nonsense"], ["accounts", "create"], ["web", "--workers", "0"], []):
        done = command(*words)
        assert done.code == 2, words
        assert done.out + done.err


def test_every_command_tells_what_it_does(command):
    for words in ([], ["accounts"], ["accounts", "create"], ["config"], ["db"], ["queue"], ["run"]):
        done = command(*words, "--help")
        assert done.code == 0
        assert "Usage: fediblog" in done.out


def test_without_a_configuration_a_command_says_what_is_missing(command):
    done = command("accounts", "list")
    assert done.code == 1
    assert "domain" in done.err
    assert "`fediblog config init` writes one" in done.err
    assert "Traceback" not in done.err


def test_before_the_upgrade_a_command_says_so(command):
    command("config", "init", "--local")
    assert command("accounts", "list") == (
        1,
        "",
        "The database is behind this version: run `fediblog db upgrade` first.\n",
    )


# ---------------------------------------------------------------------------------------------- config, db


def test_a_first_configuration_has_a_fresh_secret_and_is_ours_alone(command, folder):
    assert command("config", "init", "--domain", "social.example").code == 0
    path = folder / "fediblog.toml"
    assert path.stat().st_mode & 0o777 == 0o600
    written = tomllib.loads(path.read_text())
    assert written["domain"] == "social.example"
    assert len(written["secret_key"]) >= 64
    assert command("config", "check").code == 0
    assert [file.name for file in folder.iterdir()] == ["fediblog.toml"]


def test_a_local_configuration_is_what_make_run_promises(command, folder):
    command("config", "init", "--local")
    written = tomllib.loads((folder / "fediblog.toml").read_text())
    assert (written["domain"], written["base_url"]) == ("localhost:8000", "http://127.0.0.1:8000")


def test_a_configuration_that_is_there_is_never_overwritten(command, folder):
    command("config", "init", "--local")
    before = (folder / "fediblog.toml").read_text()
    assert command("config", "init", "--local").code == 1
    assert command("config", "init", "--local", "--if-missing") == (0, "", "")
    assert command("config", "init", "--if-missing") == (0, "", "")
    assert (folder / "fediblog.toml").read_text() == before


def test_a_domain_that_is_none_writes_nothing(command, folder):
    done = command("config", "init", "--domain", 'https://x"/')
    assert done.code == 1
    assert "bare host name" in done.err
    assert list(folder.iterdir()) == []


def test_the_configuration_may_stand_elsewhere(command, folder, monkeypatch):
    (folder / "etc").mkdir()
    assert command("--config", "etc/fb.toml", "config", "init", "--local").code == 0
    assert command("--config", "etc/fb.toml", "config", "check").code == 0
    assert command("config", "check").code == 1
    monkeypatch.setenv("FEDIBLOG_CONFIG", "etc/fb.toml")
    assert command("config", "check").code == 0


def test_all_faults_of_a_configuration_are_told_at_once(command, folder):
    (folder / "fediblog.toml").write_text('domian = "x"\n[web]\ntrusted = []\n')
    done = command("config", "check")
    assert done.code == 1
    assert "did you mean domain?" in done.err
    assert "web.trusted" in done.err


def test_what_is_shown_leaves_the_secrets_out(command, folder, monkeypatch):
    command("config", "init", "--local")
    monkeypatch.setenv("FEDIBLOG__REDIS__URL", "redis://:hunter2@localhost/0")
    shown = command("config", "show").out + command("config", "show", "--json").out
    secret = tomllib.loads((folder / "fediblog.toml").read_text())["secret_key"]
    assert secret not in shown
    assert "hunter2" not in shown
    values = orjson.loads(command("config", "show", "--json").out)
    assert (values["secret_key"], values["redis.url"], values["mail.url"]) == ("(set)", "(set)", "(empty)")
    assert values["limits.max_characters"] == 500


def test_the_schema_goes_to_head_once(command):
    command("config", "init", "--local")
    steps = orjson.loads((behind := command("db", "status", "--json")).out)
    assert behind.code == 1
    assert {step["state"] for step in steps} == {"pending"}
    assert "0001_people" in command("db", "upgrade").err
    assert command("db", "upgrade").err == "The database is up to date.\n"
    assert command("db", "status").code == 0


def test_the_index_of_words_can_be_written_anew(site):
    create(site)
    assert site("db", "reindex").err == "done: 0 posts, 1 accounts\n"


# ------------------------------------------------------------------------------------------ people, tokens


def test_somebody_is_made_with_the_password_from_stdin(site):
    assert create(site, "alice", "--role", "admin").code == 0
    [entry] = orjson.loads(site("accounts", "list", "--json").out)
    assert (entry["name"], entry["role"], entry["state"]) == ("alice", "admin", "active")


def test_bad_words_are_refused_with_a_sentence_for_each(site):
    create(site)
    done = site("accounts", "create", "alice", "--email", "nobody", given="short\n")
    assert done.code == 1
    assert [line.split(":")[0] for line in done.err.splitlines()] == ["username", "email", "password"]
    assert len(orjson.loads(site("accounts", "list", "--json").out)) == 1


def test_an_unknown_role_is_wrong_usage(site):
    assert create(site, "alice", "--role", "queen").code == 2


def test_a_role_changes_and_lists_can_be_narrowed(site):
    create(site, "alice")
    create(site, "bob")
    assert site("accounts", "role", "alice", "moderator").code == 0
    found = orjson.loads(site("accounts", "list", "--role", "moderator", "--json").out)
    assert [entry["name"] for entry in found] == ["alice"]
    assert site("accounts", "list", "--state", "waiting").err == "Nobody.\n"
    assert "bob" in site("accounts", "list").out


def test_whoever_is_not_there_is_not_found(site):
    for words in (
        ["accounts", "role", "carol", "user"],
        ["tokens", "create", "carol"],
        ["invites", "list", "carol"],
    ):
        assert site(*words) == (1, "", "Nobody here is called carol.\n")


def test_who_waits_is_confirmed_and_let_in_or_sent_away(site):
    async def two_who_wait():
        await person("bob", confirmed_at=None, approved_at=None)
        await person("carol", approved_at=None)

    inside(two_who_wait)

    def states():
        return {
            entry["name"]: entry["state"] for entry in orjson.loads(site("accounts", "list", "--json").out)
        }

    assert states() == {"bob": "unconfirmed", "carol": "waiting"}
    assert site("accounts", "confirm", "bob").code == 0
    assert states()["bob"] == "waiting"
    assert site("accounts", "approve", "bob").code == 0
    assert site("accounts", "reject", "carol").code == 0
    assert states() == {"bob": "active"}
    done = site("accounts", "reject", "bob")
    assert (done.code, done.err) == (1, "This sign-up has been approved already.\n")


def test_a_token_stands_alone_on_stdout_and_works(site):
    create(site)
    done = site("tokens", "create", "alice", "--scopes", "read write")
    assert done.err == ""
    bearer = inside(lambda: tokens.find(done.out.strip()))
    assert bearer.account.username == "alice"
    assert site("tokens", "create", "alice", "--scopes", "read nonsense").code == 1


def test_a_link_for_a_new_password(site):
    create(site)
    done = site("accounts", "reset-password", "alice")
    assert done.code == 0
    assert done.out.startswith("http://127.0.0.1:8000/auth/password/edit?token=")


def test_codes_at_sign_in_are_taken_from_whoever_has_lost_them(site):
    create(site)
    done = site("accounts", "disable-2fa", "alice")
    assert (done.code, done.err) == (1, "No codes are asked for at this sign-in.\n")
    inside(_switch_codes_on)
    assert site("accounts", "disable-2fa", "alice").err == "alice signs in with the password alone.\n"
    assert site("accounts", "disable-2fa", "nobody").code == 1


async def _switch_codes_on() -> None:
    user = await User.get()
    async with db.transaction():
        sql = "INSERT INTO second_factor (user_id, secret, step) VALUES ($1, $2, 0)"
        await db.execute(sql, user.id, b"sealed")


def test_invites_are_made_and_listed(site):
    create(site)
    link = site("invites", "create", "alice", "--uses", "3", "--days", "7").out.strip()
    [invite] = orjson.loads(site("invites", "list", "alice", "--json").out)
    assert (invite["link"], invite["most_uses"], invite["uses"]) == (link, 3, 0)
    assert site("invites", "create", "alice", "--uses", "0").code == 1


# ---------------------------------------------------------------------------------- statistics, work, media


def test_statistics_are_counted_and_shown(site):
    create(site)
    assert site("statistics", "rebuild").err == "1 days counted.\n"
    days = orjson.loads(site("statistics", "show", "--days", "2", "--json").out)
    assert [day["sign_ups"] for day in days] == [0, 1]
    assert len(site("statistics", "show", "--days", "2", "--csv").out.splitlines()) == 3
    assert site("statistics", "show", "--account", "alice", "--days", "1").code == 0
    assert site("statistics", "show", "--account", "bob").code == 1
    assert site("statistics", "show", "--first", "yesterday").code == 2
    assert site("statistics", "show", "--first", "2026-02-02", "--last", "2026-02-01").code == 1


def test_the_tray_is_shown_and_poison_gets_a_fresh_start(site):
    assert site("queue", "status").err == "Nothing waits.\n"

    async def poison():
        await work.owe(Job.MAIL, 7)
        [(job, number)] = await work.sweep(patience=0)
        for _ in range(5):
            held = await work.lease(job, number, "w", suspect=True)
            await work.failed(held, "ValueError: bad", again_at=1, crash=True)
        return number

    number = inside(poison)
    shown = orjson.loads(site("queue", "status", "--json").out)
    assert [heap["state"] for heap in shown["work"]] == ["quarantined"]
    assert shown["quarantined"][0]["error"] == "ValueError: bad"
    assert "ValueError: bad" in site("queue", "status").out
    assert site("queue", "retry").code == 2
    assert site("queue", "retry", "5").code == 1
    assert site("queue", "retry", str(number)).code == 0
    assert orjson.loads(site("queue", "status", "--json").out)["quarantined"] == []


def test_activities_are_shown_with_the_tray_and_get_a_fresh_start(site):
    async def poison():
        await inbox_items.add([New("https://a.example/1", "https://a.example/u", b"{}")])
        [item] = await inbox_items.lease("w", 1)
        for _ in range(5):
            crashed = inbox_items.crashed(item, "ValueError: bad")
            item = dataclasses.replace(item, crashes=crashed.crashes)
        await inbox_items.settle("w", [crashed])

    inside(poison)
    shown = orjson.loads(site("queue", "status", "--json").out)
    assert [(heap["kind"], heap["state"]) for heap in shown["work"]] == [("activity", "quarantined")]
    assert (shown["quarantined"][0]["key"], shown["quarantined"][0]["crashes"]) == ("https://a.example/1", 5)
    assert site("queue", "retry", "--all").err == "1 to be done again.\n"
    assert orjson.loads(site("queue", "status", "--json").out)["work"][0]["state"] == "due"


def test_events_are_shown_with_the_tray_and_get_a_fresh_start(site):
    async def poison():
        await events.record(Event.RELAY_ASKED, None)
        [event] = await events.waiting(events.SERVER, 1)
        await events.put_aside(event.id, "KeyError: 'inbox'")

    inside(poison)
    [shown] = orjson.loads(site("queue", "status", "--json").out)["quarantined"]
    assert (shown["kind"], shown["key"], shown["error"]) == ("relay_asked", "server", "KeyError: 'inbox'")
    assert site("queue", "retry", str(shown["id"])).err == "1 to be done again.\n"
    assert orjson.loads(site("queue", "status", "--json").out)["quarantined"] == []


def test_media_are_pruned(site):
    pruned = {"media": 0, "cached_files": 0, "temporary_files": 0}
    assert orjson.loads(site("media", "prune", "--json").out) == pruned
    dry = orjson.loads(site("media", "prune", "--dry-run", "--json").out)
    assert dry == {**pruned, "cached_bytes": 0}
    usage = orjson.loads(site("media", "usage", "--json").out)
    assert (usage["cached_files"], usage["limit_megabytes"], usage["limit_days"]) == (0, 1024, 7)


# -------------------------------------------------------------------------------------------------- doctor


def findings(site):
    done = site("doctor", "--json")
    return done.code, {finding["what"]: finding for finding in orjson.loads(done.out)}


def test_doctor_finds_a_good_installation_good(site, smtp, monkeypatch):
    create(site)
    monkeypatch.setenv("FEDIBLOG__MAIL__URL", smtp.url)
    monkeypatch.setattr(doctor, "_PLENTY", 1)
    code, found = findings(site)
    assert code == 0
    assert {finding["grade"] for finding in found.values()} == {"good"}
    assert {"configuration", "disk", "media", "database", "secret", "work", "mail"} <= set(found)
    assert "good" in site("doctor").out


def test_doctor_says_what_is_wrong_and_what_to_do(site, monkeypatch, folder):
    create(site)
    monkeypatch.setenv("FEDIBLOG__SECRET_KEY", "another secret, which opens none of the keys")
    monkeypatch.setenv("FEDIBLOG__REDIS__URL", "redis://127.0.0.1:9/0")
    monkeypatch.setenv("FEDIBLOG__MAIL__URL", "smtp://127.0.0.1:9")
    monkeypatch.setenv("FEDIBLOG__LIMITS__RATE_LIMITS", "false")
    code, found = findings(site)
    assert code == 1
    for what in ("secret", "Redis", "mail"):
        assert (found[what]["grade"], bool(found[what]["fix"])) == ("bad", True)
    assert found["settings for labs"]["grade"] == "warning"


def test_doctor_needs_no_working_configuration(command, folder):
    assert findings(command)[0] == 1
    (folder / "fediblog.toml").write_text("domain = 3 = 4")
    code, found = findings(command)
    assert (code, list(found), found["configuration"]["grade"]) == (1, ["configuration"], "bad")


def test_doctor_sees_a_schema_that_is_behind(command):
    command("config", "init", "--local")
    code, found = findings(command)
    assert code == 1
    assert found["database"]["fix"] == "Run `fediblog db upgrade`."


def test_doctor_sees_a_disk_that_is_nearly_full(site, monkeypatch):
    monkeypatch.setattr(house, "free_space", lambda folder: 50 * 1024**2)
    code, found = findings(site)
    assert (code, found["disk"]["grade"]) == (1, "bad")


def test_doctor_asks_redis_for_its_policy(site, redis, monkeypatch):
    monkeypatch.setenv("FEDIBLOG__REDIS__URL", redis.url)
    assert findings(site)[1]["Redis"]["grade"] == "good"
    with redis.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert findings(site)[1]["Redis"]["grade"] == "warning"
    finally:
        with redis.client() as client:
            client.config_set("maxmemory-policy", "noeviction")


def test_doctor_warns_of_a_network_disk(site, monkeypatch):
    monkeypatch.setattr(doctor, "_kind_of_disk", lambda config: "nfs4")
    code, found = findings(site)
    assert (code, found["place of the database"]["grade"]) == (1, "bad")


def test_work_that_was_put_aside_is_worth_a_warning(site, monkeypatch):
    async def some():
        return [1, 2]

    monkeypatch.setattr(work, "quarantined", some)
    assert findings(site)[1]["work"]["grade"] == "warning"


def test_a_command_starts_quickly(command):
    started = time.perf_counter()
    assert command("config", "init", "--local").code == 0
    assert time.perf_counter() - started < 2
