"""The schema: the same on both databases, made once, by one process at a time, and never by halves."""

import asyncio
import json
import re
import sys

import pytest

from fediblog import db, models, schema
from fediblog.config import Config
from tests.conftest import DATABASE

_TYPES = {
    "INTEGER": "bigint",
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "JSON TEXT": "jsonb",
    "BLOB": "bytea",
}


async def _shape() -> dict[str, object]:
    """Columns as `table.name`, references as `table.name ->`, indexes by their name.

    Without the index of words, which each database has in its own way (docs/decisions/0011).
    """
    return await (_sqlite() if db.dialect() == "sqlite" else _postgres())


async def _sqlite() -> dict[str, object]:
    tables = await db.column(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        " AND name NOT LIKE '%_search%'"
    )
    found: dict[str, object] = {}
    for table in tables:
        for line in await db.rows("SELECT * FROM pragma_table_info($1)", table):
            kind = _TYPES.get(line["type"], line["type"].lower())
            found[f"{table}.{line['name']}"] = (
                kind,
                "required" if line["notnull"] else "optional",
                _default(line["dflt_value"]),
                line["pk"],
            )
        for line in await db.rows("SELECT * FROM pragma_foreign_key_list($1)", table):
            found[f"{table}.{line['from']} ->"] = (line["table"], line["on_delete"])
        for index in await db.rows("SELECT * FROM pragma_index_list($1)", table):
            if index["origin"] == "c":
                columns = await db.column("SELECT name FROM pragma_index_info($1)", index["name"])
                found[index["name"]] = (table, bool(index["unique"]), columns, bool(index["partial"]))
    return found


async def _postgres() -> dict[str, object]:
    found: dict[str, object] = {}
    for line in await db.rows(_COLUMNS):
        found[f"{line['table']}.{line['name']}"] = (
            line["type"],
            "required" if line["required"] else "optional",
            _default(line["standard"]),
            line["key"] or 0,
        )
    for line in await db.rows(_REFERENCES):
        found[f"{line['table']}.{line['name']} ->"] = (line["target"], _ACTIONS[line["action"]])
    for line in await db.rows(_INDEXES):
        found[line["name"]] = (line["table"], line["unique"], line["columns"], line["partial"])
    return found


_ACTIONS = {"a": "NO ACTION", "c": "CASCADE", "n": "SET NULL"}
_COLUMNS = """
SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, NULL) AS type,
    a.attnotnull AS required, pg_get_expr(d.adbin, d.adrelid) AS standard,
    array_position(k.conkey, a.attnum) AS key
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE '%_search'
"""
_REFERENCES = """
SELECT c.relname AS table, a.attname AS name, t.relname AS target, k.confdeltype::text AS action
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
WHERE k.contype = 'f' AND c.relname NOT LIKE '%_search'
"""
_INDEXES = """
SELECT i.relname AS name, c.relname AS table, x.indisunique AS unique, x.indpred IS NOT NULL AS partial,
    (SELECT array_agg(a.attname::text ORDER BY n.place)
     FROM unnest(x.indkey) WITH ORDINALITY AS n(number, place)
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = n.number) AS columns
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
WHERE c.relnamespace = 'public'::regnamespace AND NOT x.indisprimary
    AND c.relname NOT LIKE '%_search'
"""


def _default(text: str | None) -> str:
    return re.sub(r"::\w+( \w+)*$", "", text or "").strip("'()").lower()


@pytest.mark.once
async def test_both_databases_have_the_same_schema(configure, postgres, tmp_path):
    seen = []
    for url in (f"sqlite://{tmp_path}/one.sqlite3", await postgres.create("compared")):
        made: Config = configure(database__url=url)
        await db.connect(made)
        try:
            await schema.upgrade(made)
            seen.append(await _shape())
        finally:
            await db.close()
    sqlite, postgresql = seen
    assert sqlite == postgresql
    assert len(sqlite) > 400


@pytest.mark.once
async def test_each_foreign_key_has_an_index(database):
    """Without one, deleting what it points to reads the whole table."""
    found = await _shape()
    leading = {(table, columns[0]) for table, _, columns, _ in _indexes(found)}
    leading |= {tuple(name.split(".")) for name, column in _columns(found) if column[3] == 1}
    for name in (name.removesuffix(" ->") for name in found if name.endswith(" ->")):
        table, column = name.split(".")
        assert (table, column) in leading or (table, column) in _NEVER_DELETED, f"{name} has no index"


# They point to accounts, and account rows stay: deleting an account empties it.
_NEVER_DELETED: set[tuple[str, str]] = {
    ("post", "boost_of_author_id"),
    ("post", "reply_to_author_id"),
}


def _indexes(found):
    return [shape for name, shape in found.items() if "." not in name]


def _columns(found):
    return [(name, shape) for name, shape in found.items() if "." in name and not name.endswith(" ->")]


async def test_models_and_tables_agree(database):
    found = await _shape()
    for name in models.__all__:
        model = getattr(models, name)
        if not hasattr(model, "_meta"):
            continue
        table = model._meta.db_table
        columns = {
            key.split(".")[1]: shape[1] == "optional"
            for key, shape in _columns(found)
            if key.startswith(f"{table}.")
        }
        assert columns == {
            field.source_field or field.model_field_name: field.null
            for field in model._meta.fields_map.values()
        }, f"{name} and the table {table} differ"


async def test_json_comes_back_as_it_was_stored_whatever_it_is(database):
    """SQLite gives a column that is only called JSON the affinity of numbers."""
    stored = ["1", "1e5", "-0.10", "true", "null", "[1]", '"1"', '{"a":1}', "12345678901234567890"]
    for number, text in enumerate(stored):
        async with db.transaction():
            await db.execute("INSERT INTO setting (name, value) VALUES ($1, $2)", str(number), text)
        found = await db.value("SELECT value FROM setting WHERE name = $1", str(number))
        assert isinstance(found, str)
        assert json.loads(found) == json.loads(text)


async def test_upgrading_twice_changes_nothing(database, config):
    assert await schema.pending() == []
    assert await schema.upgrade(config) == []
    assert await db.column("SELECT name FROM migration ORDER BY name") == schema.known()


@pytest.fixture
async def empty(configure, request, tmp_path):
    """An open database without any table."""
    if DATABASE == "sqlite":
        made = configure(database__url=f"sqlite://{tmp_path}/empty.sqlite3")
    else:
        made = configure(database__url=await request.getfixturevalue("postgres").create("empty"))
    await db.connect(made)
    yield made
    await db.close()


async def test_a_new_database_needs_every_step(empty):
    assert await schema.pending() == schema.known()
    assert await schema.upgrade(empty) == schema.known()
    assert await schema.pending() == []


class Steps:
    """Steps of the test's own in a folder."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        monkeypatch.setattr(
            schema, "_steps", lambda: {path.stem: path for path in sorted(folder.glob("*.sql"))}
        )

    def write(self, name: str, text: str) -> None:
        (self.folder / f"{name}.sql").write_text(text)


async def test_a_step_that_fails_leaves_nothing_behind(empty, tmp_path, monkeypatch):
    steps = Steps(tmp_path, monkeypatch)
    steps.write("0001_good", "CREATE TABLE good (id {id})")
    steps.write("0002_bad", "CREATE TABLE half (id {id});\n-- a comment; with a semicolon\nCREATE TABEL oops")
    with pytest.raises(Exception, match="TABEL"):
        await schema.upgrade(empty)
    assert await schema.pending() == ["0002_bad"]
    steps.write("0002_bad", "CREATE TABLE half (id {id})")
    assert await schema.upgrade(empty) == ["0002_bad"]


async def test_a_step_that_is_interrupted_leaves_nothing_behind(empty, tmp_path, monkeypatch):
    steps = Steps(tmp_path, monkeypatch)
    many = ";\n".join(f"CREATE TABLE t{number} (id {{id}})" for number in range(200))
    steps.write("0001_many", many)
    begun = asyncio.Event()
    execute = db.execute

    async def watched(sql, *values):
        await execute(sql, *values)
        if "t50 " in sql:
            begun.set()

    monkeypatch.setattr(db, "execute", watched)
    task = asyncio.create_task(schema.upgrade(empty))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await schema.pending() == ["0001_many"]
    assert await schema.upgrade(empty) == ["0001_many"]


_UPGRADE = """
import asyncio, sys
from fediblog import config, db, schema

async def main():
    loaded = config.load(None)
    await db.connect(loaded)
    print("ready", flush=True)
    sys.stdin.readline()
    print(len(await schema.upgrade(loaded)), len(await schema.pending()), flush=True)
    await db.close()
"""
_DAWDLE = """
execute = db.execute

async def dawdling(sql, *values):
    await execute(sql, *values)
    if sql.startswith("CREATE TABLE person"):
        print("inside", flush=True)
        await asyncio.sleep(600)

db.execute = dawdling
"""


async def upgrading(config: Config, more: str = "") -> asyncio.subprocess.Process:
    """A process of its own that has opened the database and waits for a line before it upgrades."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        f"{_UPGRADE}\n{more}\nasyncio.run(main())",
        env={
            "FEDIBLOG__DOMAIN": config.domain,
            "FEDIBLOG__BASE_URL": config.base_url,
            "FEDIBLOG__SECRET_KEY": config.secret_key.get_secret_value(),
            "FEDIBLOG__DATABASE__URL": config.database_url,
        },
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert await process.stdout.readline() == b"ready\n"
    return process


async def test_of_two_processes_that_upgrade_at_once_one_works_and_one_waits(empty):
    both = [await upgrading(empty), await upgrading(empty)]
    told = await asyncio.gather(*(process.communicate(b"go\n") for process in both))
    assert sorted(out for out, _ in told) == [b"0 0\n", f"{len(schema.known())} 0\n".encode()]
    assert await schema.pending() == []


async def test_a_killed_upgrade_leaves_nothing_behind_and_no_lock(empty):
    process = await upgrading(empty, _DAWDLE)
    process.stdin.write(b"go\n")
    assert await process.stdout.readline() == b"inside\n"
    process.kill()
    await process.communicate()
    assert await asyncio.wait_for(schema.upgrade(empty), 30) == schema.known()
