"""All commands on one page, and `main`, which runs one and turns errors into a line and an exit code."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from fediblog import __version__
from fediblog.cli import (
    accounts,
    announcements,
    database,
    debug,
    doctor,
    domains,
    invites,
    media,
    processes,
    relays,
    reports,
    servers,
    settings,
    shell,
    statistics,
    tokens,
    tray,
    trends,
)
from fediblog.config import ConfigError
from fediblog.errors import FediblogError, Invalid
from fediblog.house import StartRefused

app = shell.group("fediblog: a federated microblog server.")

app.command()(processes.run)
app.command()(processes.web)
app.command()(processes.worker)
app.command()(processes.beat)
app.command()(doctor.doctor)
app.add_typer(database.commands, name="db")
app.add_typer(settings.commands, name="config")
app.add_typer(tray.commands, name="queue")
app.add_typer(accounts.commands, name="accounts")
app.add_typer(tokens.commands, name="tokens")
app.add_typer(invites.commands, name="invites")
app.add_typer(statistics.commands, name="statistics")
app.add_typer(trends.commands, name="trends")
app.add_typer(media.commands, name="media")
app.add_typer(domains.commands, name="domains")
app.add_typer(relays.commands, name="relays")
app.add_typer(reports.commands, name="reports")
app.add_typer(announcements.commands, name="announcements")
app.add_typer(servers.commands, name="servers")
app.add_typer(debug.commands, name="debug")


def main() -> None:
    """The entry point. 0 done, 1 failed, 2 wrong usage."""
    try:
        app()
    except (ConfigError, StartRefused) as error:
        _end(str(error))
    except Invalid as error:
        _end("\n".join(f"{name}: {sentence}" for name, sentence in error.fields.items()) or error.message)
    except FediblogError as error:
        _end(error.message)


def _end(text: str) -> None:
    shell.note(text)
    sys.exit(1)


def _version(asked: bool) -> None:
    if asked:
        shell.say(f"fediblog {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    config: Annotated[
        Path | None,
        typer.Option(
            help="The configuration file; also FEDIBLOG_CONFIG. Without either: fediblog.toml here."
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    shell.use(config)
