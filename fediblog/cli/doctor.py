"""`fediblog doctor`: look at all that an installation needs, and say in words what to do about each fault."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

import typer
from cryptography.fernet import InvalidToken
from redis.asyncio import Redis
from redis.exceptions import RedisError

from fediblog import config as configuration
from fediblog import db, house, keys, logs, schema, storage
from fediblog.cli import outside, shell
from fediblog.cli.findings import Finding, Grade
from fediblog.config import Config, ConfigError, Log
from fediblog.errors import FediblogError
from fediblog.models import Account
from fediblog.services import work

_PATIENCE = 5.0
_PLENTY = 2 * 1024**3
_GIGABYTE = 1024**3
_CLOCK_SECONDS = 2.0
_PORTS = {"smtps": 465}
_NETWORK_DISKS = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "fuse.s3fs"})


def doctor(json: shell.Json = False) -> None:
    """Look whether all is well, and say what to do where it is not. Ends with 1 when something is bad."""
    logs.set_up(Log(level="error"), sys.stderr)
    findings = asyncio.run(_examine())
    if json:
        shell.show([asdict(finding) for finding in findings], json)
    else:
        for finding in findings:
            shell.say(f"{_MARKS[finding.grade]} {finding.what}: {finding.words}")
            if finding.fix:
                shell.say(f"      {finding.fix}")
    if any(finding.grade is Grade.BAD for finding in findings):
        raise typer.Exit(1)


_MARKS = {Grade.GOOD: "good ", Grade.WARNING: "look ", Grade.BAD: "BAD  "}


async def _examine() -> list[Finding]:
    try:
        config = shell.configuration()
    except ConfigError as error:
        fix = "See config.example.toml for every key; `fediblog config init` makes a first one."
        return [Finding("configuration", Grade.BAD, str(error), fix)]
    configuration.use(config)
    findings = [
        Finding("configuration", Grade.GOOD, f"read, for {config.domain}"),
        *_labs(config),
        _disk(config),
    ]
    for look in (_storage, _database, _redis, _mail, outside.look):
        findings += [finding async for finding in look(config)]
    return findings


def _labs(config: Config) -> list[Finding]:
    on = [
        name
        for name, is_on in {
            "federation.allow_http": config.federation.allow_http,
            "federation.allow_networks": bool(config.federation.allow_networks),
            "limits.rate_limits = false": not config.limits.rate_limits,
        }.items()
        if is_on
    ]
    fix = "Take these out of the configuration of a server that strangers can reach."
    return [Finding("settings for labs", Grade.WARNING, ", ".join(on), fix)] if on else []


def _disk(config: Config) -> Finding:
    try:
        house.prepare(config)
    except house.StartRefused as error:
        return Finding("disk", Grade.BAD, str(error), "Free some space, or set data_dir to a larger disk.")
    free = house.free_space(config.data_dir)
    words = f"{free / _GIGABYTE:.1f} GB free in {config.data_dir}"
    if free < _PLENTY:
        return Finding("disk", Grade.WARNING, words, "Uploads will fill that soon: make room in good time.")
    return Finding("disk", Grade.GOOD, words)


async def _storage(_: Config) -> AsyncIterator[Finding]:
    files = storage.current()
    try:
        draft = files.temporary()
        await asyncio.to_thread(draft.write_bytes, b"fediblog doctor")
        await asyncio.to_thread(draft.unlink)
    except OSError as error:
        fix = f"Let the user that runs fediblog write to {files.root}."
        yield Finding("media", Grade.BAD, f"{files.root} cannot be written: {error.strerror}", fix)
    else:
        yield Finding("media", Grade.GOOD, f"{files.root} can be written")


async def _database(config: Config) -> AsyncIterator[Finding]:
    fix = "Is it running, and is database.url right?"
    try:
        await db.connect(config)
    except FediblogError as error:
        yield Finding("database", Grade.BAD, error.message, fix)
        return
    try:
        if pending := await schema.pending():
            words = f"behind this version by {len(pending)} steps"
            yield Finding("database", Grade.BAD, words, "Run `fediblog db upgrade`.")
            return
        yield Finding("database", Grade.GOOD, f"{db.dialect()}, at head")
        for look in (_clock, _secret, _quarantine):
            yield await look(config)
    except FediblogError as error:
        yield Finding("database", Grade.BAD, error.message, fix)
    finally:
        await db.close()


async def _clock(config: Config) -> Finding:
    if db.dialect() == "sqlite":
        return _local_disk(config)
    there = float(await db.value("SELECT extract(epoch FROM clock_timestamp())"))
    apart = abs(there - time.time())
    words = f"{apart:.1f} s apart from the database's"
    if apart < _CLOCK_SECONDS:
        return Finding("clock", Grade.GOOD, words)
    return Finding(
        "clock", Grade.BAD, words, "Run a time service (chrony, systemd-timesyncd) on all machines."
    )


def _local_disk(config: Config) -> Finding:
    kind = _kind_of_disk(config)
    if kind in _NETWORK_DISKS:
        fix = "Locks are not safe there: put data_dir on a local disk, or use PostgreSQL."
        return Finding("place of the database", Grade.BAD, f"a network disk ({kind})", fix)
    return Finding("place of the database", Grade.GOOD, "a local disk")


def _kind_of_disk(config: Config) -> str:
    """The file system that the data folder is on, as far as the kernel tells."""
    place = str(config.data_dir.absolute())
    try:
        lines = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    mounts = [line.split()[1:3] for line in lines]
    over = [(point, kind) for point, kind in mounts if f"{place}/".startswith(f"{point.rstrip('/')}/")]
    return max(over, key=lambda mount: len(mount[0]))[1] if over else ""


async def _secret(config: Config) -> Finding:
    account = await Account.filter(local=True, private_key__isnull=False).order_by("id").first()
    if account is None or account.private_key is None:
        return Finding("secret", Grade.GOOD, "set; no key to try it on yet")
    try:
        keys.unseal(config.secret, account.private_key)
    except InvalidToken:
        fix = "Put the secret_key back with which this server was set up: without it no private key opens."
        return Finding("secret", Grade.BAD, "this is not the secret_key of this database", fix)
    return Finding("secret", Grade.GOOD, "opens the keys in the database")


async def _quarantine(_: Config) -> Finding:
    rows = await work.quarantined()
    if rows:
        fix = "See `fediblog queue status`, and `fediblog queue retry ID` once the cause is gone."
        return Finding("work", Grade.WARNING, f"{len(rows)} pieces were put aside after five crashes", fix)
    return Finding("work", Grade.GOOD, "nothing was put aside")


async def _redis(config: Config) -> AsyncIterator[Finding]:
    url = config.redis.url.get_secret_value()
    if not url:
        return
    try:
        async with Redis.from_url(url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE) as redis:
            await redis.ping()
            policy = (await redis.config_get("maxmemory-policy")).get("maxmemory-policy")
    except (RedisError, OSError) as error:
        yield Finding(
            "Redis", Grade.BAD, f"does not answer: {error}", "Is it running, and is redis.url right?"
        )
        return
    if policy not in (None, "noeviction"):
        fix = "Set maxmemory-policy to noeviction: with another one Redis throws away what waits in it."
        yield Finding("Redis", Grade.WARNING, f"answers, but its policy is {policy}", fix)
    else:
        yield Finding("Redis", Grade.GOOD, "answers")


async def _mail(config: Config) -> AsyncIterator[Finding]:
    url = urlsplit(config.mail.url.get_secret_value())
    if not url.hostname:
        fix = "Set mail.url: without it nobody can reset a password, and nobody hears of mentions."
        yield Finding("mail", Grade.WARNING, "no mail server is configured", fix)
        return
    port = url.port or _PORTS.get(url.scheme, 25)
    try:
        async with asyncio.timeout(_PATIENCE):
            _, writer = await asyncio.open_connection(url.hostname, port)
        writer.close()
    except (OSError, TimeoutError) as error:
        words = f"{url.hostname}:{port} cannot be reached: {error or 'no answer'}"
        yield Finding("mail", Grade.BAD, words, "Is mail.url right, and may this machine connect there?")
    else:
        yield Finding("mail", Grade.GOOD, f"{url.hostname}:{port} can be reached")
