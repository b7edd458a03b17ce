"""`fediblog relays …`: servers that pass on what their members publish for everybody."""

from typing import Annotated

import typer

from fediblog import http, moments
from fediblog.activitypub import ownership
from fediblog.cli import shell
from fediblog.errors import NotFound
from fediblog.services import relays
from fediblog.services.relays import Relay

commands = shell.group("Relays: they pass on what their members publish for everybody.")


@commands.command("list")
def list_(json: shell.Json = False) -> None:
    """The relays that were asked, and what they have answered."""
    shell.show([_row(relay) for relay in shell.in_house(relays.listed)], json, "There are no relays.")


@commands.command()
def add(
    inbox: Annotated[
        str, typer.Argument(help="The inbox of the relay, such as https://relay.example/inbox.")
    ],
    actor: Annotated[
        str, typer.Option(help="Its actor, for relays of the LitePub kind: /relay or /actor.")
    ] = "",
) -> None:
    """Ask a relay to take us in. It answers when it likes to."""

    async def act() -> None:
        for address in filter(None, (inbox, actor)):
            ownership.check_foreign(http.check_url(address))
        await relays.add(inbox, actor)

    shell.in_house(act)
    shell.note(f"{inbox} is asked.")


@commands.command()
def remove(relay: Annotated[str, typer.Argument(help="Its number or its inbox, from the list.")]) -> None:
    """Leave a relay."""

    async def act() -> None:
        named = [each for each in await relays.listed() if relay in (str(each.id), each.inbox)]
        if not named:
            raise NotFound("There is no such relay.")
        await relays.remove(named[0].id)

    shell.in_house(act)
    shell.note("The relay is told that we leave.")


def _row(relay: Relay) -> dict[str, object]:
    return {
        "id": str(relay.id),
        "inbox": relay.inbox,
        "state": relay.state,
        "since": moments.iso_day(relay.created_at),
        "actor": relay.actor_uri,
    }
