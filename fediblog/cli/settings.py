"""`fediblog config …`: make, check and show the configuration."""

import os
import secrets
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import SecretStr

from fediblog import house
from fediblog.cli import shell

commands = shell.group("The configuration.")

_FILE = """\
# The configuration of fediblog. Every key with its meaning: config.example.toml in the source,
# `fediblog config show` tells what is in force.

# The name in handles. It never changes.
domain = {domain}
{base_url}
# Signs cookies and tokens and encrypts private keys. Keep it secret, and keep it.
secret_key = "{secret}"
"""
_LOCAL_DOMAIN = "localhost:8000"
_LOCAL_URL = 'base_url = "http://127.0.0.1:8000"\n'


@commands.command()
def init(
    domain: Annotated[str, typer.Option(help="The name in handles, such as social.example.")] = "",
    local: Annotated[bool, typer.Option("--local", help="For trying out on this machine.")] = False,
    if_missing: Annotated[bool, typer.Option("--if-missing", help="Leave a file that is there.")] = False,
) -> None:
    """Write a configuration with a fresh secret, readable by you alone."""
    if bool(domain) == local and not (if_missing and _path().exists()):
        raise typer.BadParameter("Say --domain social.example, or --local.")
    path = _path()
    if path.exists():
        if not if_missing:
            shell.fail(f"{path} is there already and was left as it is.")
        return
    text = _FILE.format(
        domain=orjson.dumps(_LOCAL_DOMAIN if local else domain).decode(),
        base_url=_LOCAL_URL if local else "",
        secret=secrets.token_urlsafe(48),
    )
    _write(path, text)
    shell.note(f"{path} written.")


@commands.command()
def check() -> None:
    """Say what is wrong with the configuration, all of it at once."""
    shell.configuration()
    shell.note("The configuration is good.")


@commands.command()
def show(json: shell.Json = False) -> None:
    """What is in force, from file, environment and defaults; secrets are left out."""
    values = dict(_flat(shell.configuration()))
    shell.show_one(values, json)


def _path() -> Path:
    return shell.place() or Path(os.environ.get("FEDIBLOG_CONFIG") or "fediblog.toml")


def _write(path: Path, text: str) -> None:
    """Under another name first: what is not a good configuration never gets this one."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        house.configuration_of(draft)
        draft.rename(path)
    except OSError as error:
        shell.fail(f"{path} cannot be written: {error.strerror}.")
    finally:
        draft.unlink(missing_ok=True)


def _flat(section: Any, before: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name in type(section).model_fields:
        value = getattr(section, name)
        if hasattr(type(value), "model_fields"):
            found += _flat(value, f"{before}{name}.")
        else:
            found.append((before + name, _shown(value)))
    return found


def _shown(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return "(set)" if value.get_secret_value() else "(empty)"
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return value if isinstance(value, bool | int | float) else str(value)
