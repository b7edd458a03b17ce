"""The application as a whole: ids, lines, limits, health, and what no door answers."""

import asyncio

import orjson
import pytest
from quart import request

from fediblog import config as configuration
from fediblog import db, entrance, health, house, logs, schema, storage
from fediblog.app import create_app
from fediblog.config import Log
from fediblog.errors import Unavailable
from fediblog.house import StartRefused

pytestmark = pytest.mark.once


@pytest.fixture
def app(config, database):
    return create_app(config, open_house=False)


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def lines(capsys):
    """The log lines of the requests so far."""
    logs.set_up(Log(format="json", level="debug"))

    def read():
        printed = [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [line for line in printed if line["event"] == "request"]

    return read


# ------------------------------------------------------------------------------------------------ health


async def test_a_process_that_answers_is_alive_and_ready(client):
    for path in ("/livez", "/readyz"):
        response = await client.get(path)
        assert (response.status_code, await response.get_json()) == (200, {"status": "ok"})
        assert response.headers["Cache-Control"] == "no-store"


async def test_health_is_told_in_the_word_of_mastodon(app, client):
    response = await client.get("/health")
    assert (response.status_code, await response.get_data()) == (200, b"OK")
    health.of(app).draining = True
    response = await client.get("/health")
    assert (response.status_code, await response.get_data()) == (503, b"stopping")


async def test_who_stops_is_alive_but_not_ready(app, client):
    health.of(app).draining = True
    assert (await client.get("/livez")).status_code == 200
    response = await client.get("/readyz")
    assert (response.status_code, await response.get_json()) == (503, {"status": "stopping"})


async def test_a_database_that_is_away_makes_unready(client, monkeypatch):
    async def away(*_):
        raise Unavailable

    monkeypatch.setattr(db, "value", away)
    assert (await client.get("/livez")).status_code == 200
    assert (await client.get("/readyz")).status_code == 503


async def test_a_database_that_hangs_makes_unready_within_a_second(client, monkeypatch):
    async def hang(*_):
        await asyncio.sleep(60)

    monkeypatch.setattr(db, "value", hang)
    monkeypatch.setattr(health, "_PATIENCE", 0.05)
    assert (await client.get("/readyz")).status_code == 503


async def test_a_schema_that_is_behind_makes_unready(client, monkeypatch):
    async def behind():
        return ["0099_future"]

    monkeypatch.setattr(schema, "pending", behind)
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert "behind" in (await response.get_json())["status"]


# --------------------------------------------------------------------------------------- ids and log lines


async def test_a_good_request_id_is_echoed(client):
    response = await client.get("/livez", headers={"X-Request-Id": "my.id-1"})
    assert response.headers.getlist("X-Request-Id") == ["my.id-1"]


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>"])
async def test_a_bad_request_id_is_replaced(client, given):
    response = await client.get("/livez", headers={"X-Request-Id": given})
    assert response.headers["X-Request-Id"] != given
    assert len(response.headers["X-Request-Id"]) == 24


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/nothing", "/livez"])
async def test_every_answer_has_an_id(client, path):
    for method in ("GET", "DELETE"):
        assert "X-Request-Id" in (await client.open(path, method=method)).headers


async def test_a_line_tells_the_route_and_never_the_query(client, lines):
    await client.get("/@alice?token=hidden-one", headers={"X-Request-Id": "abc"})
    await client.get("/nothing-at-all/hidden-two?code=hidden-three")
    known, unknown = lines()
    assert (known["method"], known["status"], known["request_id"]) == ("GET", 404, "abc")
    assert known["route"].startswith("/@<")
    assert known["duration_ms"] > 0
    assert unknown["route"] == "-"
    assert "hidden" not in str([known, unknown])


async def test_health_is_not_worth_a_line(client, lines):
    await client.get("/livez")
    [line] = lines()
    assert line["level"] == "debug"


# ------------------------------------------------------------------------------------------- sizes, lengths


async def test_a_body_over_a_megabyte_is_refused_everywhere(client):
    for path in ("/api/v1/statuses", "/api/nothing", "/nothing", "/auth/sign_in"):
        response = await client.post(path, data=b"x" * (entrance.MOST_BYTES + 1))
        assert response.status_code == 413, path


async def test_a_body_without_a_length_is_refused_when_it_grows_too_large(app, client):
    @app.post("/test/read")
    async def read():
        return {"bytes": len(await request.get_data())}

    async with client.request("/test/read", method="POST") as connection:
        for _ in range(5):
            await connection.send(b"x" * (entrance.MOST_BYTES // 4))
        await connection.send_complete()
    assert (await connection.as_response()).status_code == 413


async def test_a_route_may_say_that_it_takes_more(app, client):
    @app.post("/test/large")
    async def large():
        return {"bytes": len(await request.get_data())}

    large.max_body = 3 * entrance.MOST_BYTES
    response = await client.post("/test/large", data=b"x" * (2 * entrance.MOST_BYTES))
    assert await response.get_json() == {"bytes": 2 * entrance.MOST_BYTES}
    response = await client.post("/test/large", data=b"x" * (3 * entrance.MOST_BYTES + 1))
    assert response.status_code == 413


async def test_a_body_that_nobody_reads_is_not_taken_in(app, client):
    held, go = [], asyncio.Event()

    @app.post("/test/slow")
    async def slow():
        await go.wait()
        held.append(len(request.body._data))
        return {"bytes": sum([len(chunk) async for chunk in request.body])}

    slow.max_body = 100 * entrance.MOST_BYTES
    async with client.request("/test/slow", method="POST") as connection:
        for _ in range(80):
            await connection.send(b"x" * 65536)
        await connection.send_complete()
        await asyncio.sleep(0.1)
        go.set()
    assert held[0] < 10 * 65536
    assert orjson.loads(await (await connection.as_response()).get_data()) == {"bytes": 80 * 65536}


async def test_two_lengths_are_one_too_many(client):
    headers = {"Content-Length": "5", "Transfer-Encoding": "chunked"}
    async with client.request("/livez", method="POST", headers=headers) as connection:
        await connection.send_complete()
    response = await connection.as_response()
    assert (response.status_code, response.headers["Connection"]) == (400, "close")


async def test_headers_that_are_very_large_are_refused(client):
    response = await client.get("/livez", headers={"X-Long": "x" * entrance.MOST_HEADER_BYTES})
    assert response.status_code == 431
    response = await client.get("/livez?" + "x" * entrance.MOST_HEADER_BYTES)
    assert response.status_code == 431


# ------------------------------------------------------------------------------------------------- proxies


@pytest.fixture
def seen(config, configure, database):
    """Asks through a chain of addresses; gives the address and scheme that the application sees."""

    async def ask(peer, trusted="", **headers):
        app = create_app(configure(web__trusted_proxies=trusted or "[]"), open_house=False)

        @app.get("/test/who")
        async def who():
            return {"address": request.remote_addr, "scheme": request.scheme}

        sent = {f"X-Forwarded-{name.capitalize()}": value for name, value in headers.items()}
        client = app.test_client()
        response = await client.get("/test/who", headers=sent, scope_base={"client": (peer, 1)})
        return tuple((await response.get_json()).values())

    return ask


NETWORKS = '["10.0.0.0/8", "::1/128"]'


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.5, 10.0.0.2", "203.0.113.5"),
        ("::1", "2001:db8::5", "2001:db8::5"),
        ("10.0.0.1", "[2001:db8::5]", "2001:db8::5"),
        ("10.0.0.1", "::ffff:203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("198.51.100.7", "203.0.113.5", "198.51.100.7"),
    ],
)
async def test_the_address_of_a_client_is_what_a_trusted_proxy_saw(seen, peer, forwarded, address):
    assert await seen(peer, NETWORKS, **{"for": forwarded, "proto": "https"}) == (
        address,
        "http" if peer == "198.51.100.7" else "https",
    )


async def test_without_trusted_proxies_nobody_chooses_an_address(seen):
    assert await seen("10.0.0.1", **{"for": "203.0.113.5", "proto": "https"}) == ("10.0.0.1", "http")


# --------------------------------------------------------------------------------- what no door answers


async def test_an_unknown_address_is_json_for_programs_and_a_page_for_people(client):
    for path in ("/api/v1/nothing", "/api/nothing", "/oauth/nothing"):
        response = await client.get(path)
        assert (response.status_code, await response.get_json()) == (404, {"error": "Record not found"})
    response = await client.get("/nothing")
    assert response.status_code == 404
    assert response.content_type.startswith("text/html")


async def test_a_wrong_method_says_which_is_right(client):
    response = await client.delete("/livez")
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]


async def test_a_fault_of_ours_tells_nothing_and_is_logged(app, client, capsys):
    logs.set_up(Log(format="json"))

    @app.get("/api/test/fault")
    async def fault():
        raise KeyError("inner secrets")

    response = await client.get("/api/test/fault", headers={"X-Request-Id": "abc"})
    assert response.status_code == 500
    assert await response.get_json() == {"error": "Something went wrong on our side."}
    [line] = [line for line in capsys.readouterr().out.splitlines() if "request failed" in line]
    assert orjson.loads(line)["request_id"] == "abc"
    assert "KeyError" in line


async def test_who_has_to_wait_is_told_how_long(app, client):
    @app.get("/api/test/busy")
    async def busy():
        raise Unavailable(retry_after=7)

    response = await client.get("/api/test/busy")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "7")


@pytest.mark.parametrize("path", ["/%ff%00", "/api/%ff", "/@%00", "/..%2f..%2fetc", "/" + "a" * 5000])
async def test_strange_paths_are_not_there(client, path):
    assert (await client.get(path)).status_code in (400, 404)


# --------------------------------------------------------------------------------------- starting, stopping


async def test_the_application_opens_and_closes_its_house(config):
    config.data_dir.mkdir(exist_ok=True)
    async with house.opened(config, migrate=True):
        pass
    app = create_app(config)
    async with app.test_app() as running:
        assert (await running.test_client().get("/readyz")).status_code == 200


async def test_the_servers_own_key_is_made_before_anybody_asks_for_it(app, database):
    async with app.test_app(), asyncio.timeout(10):
        while not await db.value("SELECT count(*) FROM setting WHERE name = 'server_key'"):
            await asyncio.sleep(0.01)


async def test_a_schema_that_is_behind_refuses_the_start(configure, tmp_path):
    config = configure(database__url="", data_dir=tmp_path / "other")
    with pytest.raises(StartRefused, match="fediblog db upgrade"):
        async with house.opened(config):
            pass


async def test_with_migrate_the_schema_is_brought_to_head(configure, tmp_path):
    config = configure(database__url="", data_dir=tmp_path / "other")
    async with house.opened(config, migrate=True):
        assert await schema.pending() == []


async def test_a_disk_that_is_nearly_full_refuses_the_start(config, monkeypatch):
    monkeypatch.setattr(house, "free_space", lambda folder: storage.RESERVE - 1)
    with pytest.raises(StartRefused, match=r"Only 99 MB are free in .*: free some space first"):
        async with house.opened(config):
            pass


async def test_a_data_folder_that_cannot_be_made_refuses_the_start(configure, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StartRefused, match="cannot be used"):
        house.prepare(configure(data_dir=tmp_path / "file" / "data"))


def test_the_data_folder_is_for_its_owner_alone(configure, tmp_path):
    house.prepare(configure(data_dir=tmp_path / "new"))
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_name_is_one_process_s_at_a_time(config):
    house.prepare(config)
    with house.claimed(config, "w") as one:
        assert one == "w"
        with pytest.raises(StartRefused, match="running already"), house.claimed(config, "w"):
            pass
        with house.claimed(config, "w", "v") as two:
            assert two == "v"
    with house.claimed(config, "w"):
        pass


def test_the_configuration_is_where_it_is_said_to_be(tmp_path, monkeypatch):
    text = 'domain = "here.example"\nsecret_key = "' + "s" * 40 + '"\n'
    (tmp_path / "fediblog.toml").write_text(text)
    (tmp_path / "other.toml").write_text(text.replace("here", "there"))
    monkeypatch.delenv("FEDIBLOG_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    assert house.configuration_of().domain == "here.example"
    monkeypatch.setenv("FEDIBLOG_CONFIG", "other.toml")
    assert house.configuration_of().domain == "there.example"
    assert house.configuration_of(tmp_path / "fediblog.toml").domain == "here.example"
    monkeypatch.setenv("FEDIBLOG_CONFIG", "missing.toml")
    with pytest.raises(configuration.ConfigError, match=r"missing\.toml"):
        house.configuration_of()
