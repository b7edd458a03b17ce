"""`fediblog servers …`: other servers that do not take what is owed to them."""

from typing import Annotated

import typer

from fediblog import moments
from fediblog.cli import shell
from fediblog.services import servers
from fediblog.services.servers import Failing

commands = shell.group("Other servers that do not take what is owed to them.")


@commands.command("list")
def list_(json: shell.Json = False) -> None:
    """Those that fail, the longest first: since when, why, when they are tried again, and what waits."""
    found = shell.in_house(servers.failing)
    shell.show([_row(server) for server in found], json, "No server fails.")


@commands.command()
def retry(domain: Annotated[str, typer.Argument(help="The server, as it stands in the list.")]) -> None:
    """Try a server now, whatever the plan says."""
    shell.in_house(lambda: servers.retry(domain))
    shell.note(f"{domain} is tried again.")


def _row(server: Failing) -> dict[str, object]:
    return {
        "domain": server.domain,
        "state": "given up" if server.given_up else "failing",
        "since": moments.iso(server.failing_since),
        "failures": server.fails,
        "next_try": moments.iso(server.next_at) if server.next_at else None,
        "waiting": server.waiting,
        "error": server.last_error,
    }
