"""The commands that go on: they start, answer, stop in good order, and leave nothing behind when killed."""

import asyncio
import os
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import httpx
import orjson
import pytest

from fediblog.queue import Job
from fediblog.services import work
from tests.harness.site import Site, until

pytestmark = pytest.mark.once


@pytest.fixture
async def site(tmp_path):
    """An installation with real processes, which end with the test."""
    site = Site(tmp_path)
    yield site
    await site.close()


@pytest.fixture
async def fresh_site(tmp_path):
    """The same, where each process reads its modules itself: how long a start takes is seen here alone."""
    site = Site(tmp_path, anew=True)
    yield site
    await site.close()


@pytest.fixture
async def cluster(tmp_path, redis):
    """The same with Redis, at head, nothing started."""
    site = Site(tmp_path, redis__url=redis.url)
    await site.command("db", "upgrade")
    yield site
    await site.close()


async def status(url):
    async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
        return (await http.get(url)).status_code


def query(site, sql):
    with closing(sqlite3.connect(site.folder / "data" / "fediblog.sqlite3", timeout=30)) as connection:
        return connection.execute(sql).fetchall()


def effects(site):
    """Keys of the puppet's jobs, and how often each has run."""
    names = [row[0].split(" ") for row in query(site, "SELECT name FROM setting")]
    return {name[1] for name in names if name[0] == "effect"}, Counter(n[1] for n in names if n[0] == "run")


def owed(site):
    return query(site, "SELECT count(*) FROM work")[0][0]


async def owe(site, keys):
    async with site.inside():
        for key in keys:
            await work.owe(Job.MAIL, key)


def children(process):
    path = f"/proc/{process.pid}/task/{process.pid}/children"
    return [int(pid) for pid in Path(path).read_text().split()]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


# -------------------------------------------------------------------------------------------- one process


async def test_the_one_process_answers_greets_and_ends_with_0(fresh_site):
    started = time.monotonic()
    process = await fresh_site.run()
    assert time.monotonic() - started < 20
    assert await status(f"{fresh_site.url}/livez") == 200
    assert f"fediblog is at {fresh_site.url}" in process.output
    link = next(line for line in process.output.splitlines() if "/setup?token=" in line)
    assert await status(link) == 200
    # What is due at a start has been done.
    await until(lambda: {"statistics", "upkeep"} <= {event.get("job") for event in process.events()})
    process.send(signal.SIGTERM)
    assert await process.ended(30) == 0
    with pytest.raises(httpx.TransportError):
        await status(f"{fresh_site.url}/livez")


async def test_a_second_start_keeps_all_and_takes_no_five_seconds(fresh_site):
    process = await fresh_site.run()
    await fresh_site.command(
        "accounts", "create", "alice", "--email", "a@b.example", "--role", "admin", given="good enough\n"
    )
    process.send(signal.SIGINT)
    assert await process.ended(30) == 0
    started = time.monotonic()
    process = await fresh_site.run()
    assert time.monotonic() - started < 15
    assert "/setup?token=" not in process.output
    assert orjson.loads(await fresh_site.command("accounts", "list", "--json"))[0]["name"] == "alice"


async def test_the_one_process_works_on_postgresql_too_and_outlives_its_restart(tmp_path, postgres):
    site = Site(tmp_path, database__url=await postgres.create("one_process"))
    try:
        process = await site.run()
        connection = await postgres.connect()
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'one_process'"
        )
        await connection.close()
        await process.ready()
        await owe(site, [])
        process.send(signal.SIGTERM)
        assert await process.ended(30) == 0
    finally:
        await site.close()


async def test_two_processes_do_not_share_a_folder(site):
    await site.run()
    second = site.start("run", url=site.free_url())
    assert await second.ended() == 1
    assert "is running already" in second.output


async def test_a_port_that_is_taken_is_said_in_one_line(site, tmp_path):
    await site.run()
    second = site.start("run", url=site.url, data_dir=tmp_path / "other")
    assert await second.ended() == 1
    assert f"cannot listen on {site.url[7:]}: Address already in use." in second.output
    assert "Traceback" not in second.output


async def test_what_is_owed_is_done_after_a_kill_and_what_was_done_is_not_done_again(site):
    await site.command("db", "upgrade")
    keys = range(100)
    await owe(site, keys)
    process = start_puppet(site)
    for round_ in (20, 50):
        await until(lambda enough=round_: len(effects(site)[0]) >= enough)
        process.kill()
        process = start_puppet(site)
    await until(lambda: owed(site) == 0, 60)
    done, runs = effects(site)
    assert done == {str(key) for key in keys}
    # A job that had run, and was not written down as done when the kill came, runs once more. At a time
    # there are 8 of them, and beside them one that is suspected since the kill before.
    assert sum(runs.values()) - len(keys) <= 2 * (8 + 1)
    assert max(runs.values()) <= 3


async def test_a_stop_finishes_what_is_in_progress_and_keeps_the_rest(site):
    await site.command("db", "upgrade")
    await owe(site, range(200))
    process = start_puppet(site)
    await until(lambda: len(effects(site)[0]) >= 20)
    process.send(signal.SIGTERM)
    assert await process.ended(30) == 0
    done, runs = effects(site)
    assert set(runs.values()) == {1}
    assert owed(site) == 200 - len(done)
    assert query(site, "SELECT count(*) FROM work WHERE state <> 'due' OR crashes > 0") == [(0,)]


async def test_a_job_that_kills_its_process_is_put_aside_and_the_others_are_done(site):
    await site.command("db", "upgrade")
    await owe(site, [666, *range(40)])

    def aside():
        return query(site, "SELECT key FROM work WHERE state = 'quarantined'")

    for _ in range(6):
        process = start_puppet(site)
        await until(lambda process=process: not process.running or aside(), 60)
        if aside():
            break
    await until(lambda: owed(site) == 1)
    assert process.running
    assert effects(site)[0] == {str(key) for key in range(40)}
    assert query(site, "SELECT key, state, crashes FROM work") == [("666", "quarantined", 5)]


def start_puppet(site):
    """`fediblog run` with the jobs of puppet.py."""
    return site.start("run", module="tests.cli.puppet")


# ------------------------------------------------------------------------------------------ many processes


async def test_without_redis_there_is_one_process(site):
    await site.command("db", "upgrade")
    for words in (["web"], ["worker"], ["beat"]):
        process = site.start(*words)
        assert await process.ended() == 1
        assert "needs redis.url" in process.output


async def test_web_refuses_a_schema_that_is_behind(tmp_path, redis):
    site = Site(tmp_path, redis__url=redis.url)
    for words in (["web"], ["worker"]):
        process = site.start(*words)
        assert await process.ended() == 1
        assert "run `fediblog db upgrade` first" in process.output


async def test_several_processes_answer_and_one_that_dies_is_replaced(cluster):
    web = cluster.start("web", "--workers", "2")
    await web.ready()
    await until(lambda: len(children(web)) == 2)
    first = children(web)
    os.kill(first[0], signal.SIGKILL)
    await until(lambda: len(children(web)) == 2 and first[0] not in children(web))
    assert await status(f"{cluster.url}/readyz") == 200
    web.send(signal.SIGTERM)
    assert await web.ended(30) == 0
    assert not any(alive(pid) for pid in first)


async def test_a_killed_parent_leaves_no_child(cluster):
    web = cluster.start("web", "--workers", "2")
    await web.ready()
    await until(lambda: len(children(web)) == 2)
    left = children(web)
    web.kill()
    await until(lambda: not any(alive(pid) for pid in left), 30)


async def test_ctrl_c_ends_all_of_them_once(cluster):
    web = cluster.start("web", "--workers", "2")
    await web.ready()
    await until(lambda: len(children(web)) == 2)
    # A terminal sends it to the whole group.
    for pid in [web.pid, *children(web)]:
        os.kill(pid, signal.SIGINT)
    assert await web.ended(30) == 0


async def test_a_worker_has_a_name_that_no_other_has(cluster):
    first = cluster.start("worker", "--name", "w")
    await first.says("worker ready")
    second = cluster.start("worker", "--name", "w")
    assert await second.ended() == 1
    assert "is running already" in second.output
    others = [cluster.start("worker"), cluster.start("worker")]
    for other in others:
        await other.says("worker ready")
    names = {
        event["name"] for other in others for event in other.events() if event["event"] == "worker ready"
    }
    assert names == {"worker-1", "worker-2"}
    for process in [first, *others]:
        process.send(signal.SIGTERM)
        assert await process.ended(30) == 0


async def test_a_worker_that_was_killed_goes_on_where_it_was(cluster):
    await owe(cluster, range(60))
    worker = cluster.start("worker", "--name", "w", module="tests.cli.puppet")
    await until(lambda: len(effects(cluster)[0]) >= 10)
    worker.kill()
    cluster.start("worker", "--name", "w", module="tests.cli.puppet")
    await until(lambda: owed(cluster) == 0, 60)
    assert effects(cluster)[0] == {str(key) for key in range(60)}


async def test_of_two_beats_one_stands_by_until_the_other_dies(cluster):
    first = cluster.start("beat")
    await first.says("this beat ticks now")
    second = cluster.start("beat")
    await second.says("beat ready")
    await asyncio.sleep(1)
    assert "ticks now" not in second.output
    first.kill()
    await second.says("this beat ticks now", 40)
    second.send(signal.SIGTERM)
    assert await second.ended(30) == 0


async def test_labs_only_is_said_at_each_start(site):
    process = await site.run(federation__allow_http="true", federation__allow_networks='["10.0.0.0/8"]')
    for key in ("federation.allow_http", "federation.allow_networks", "limits.rate_limits"):
        assert key in process.output
