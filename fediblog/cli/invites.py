"""`fediblog invites …`: ways in for people whom somebody knows."""

from typing import Annotated, Any

import typer

from fediblog import moments, uris
from fediblog.cli import shell
from fediblog.services import invites, members, roster
from fediblog.services.invites import Invite

commands = shell.group("Invites.")

Owner = Annotated[str, typer.Argument(help="Whose invites.")]


@commands.command()
def create(
    name: Owner,
    uses: Annotated[int | None, typer.Option(help="For so many people; without it for any number.")] = None,
    days: Annotated[
        int | None, typer.Option(help="Good for so many days; without it without an end.")
    ] = None,
    json: shell.Json = False,
) -> None:
    """Make an invite and print its link."""
    line = shell.in_house(lambda: _create(name, uses, days))
    if json:
        shell.show_one(line, json)
    else:
        shell.say(line["link"])


@commands.command("list")
def list_(name: Owner, json: shell.Json = False) -> None:
    """The invites that somebody has given out."""
    shell.show(shell.in_house(lambda: _listing(name)), json, "None.")


async def _create(name: str, uses: int | None, days: int | None) -> dict[str, Any]:
    account = await members.acted_for(await roster.user(name))
    return _line(await invites.create(account, uses, days))


async def _listing(name: str) -> list[dict[str, Any]]:
    account = await members.acted_for(await roster.user(name))
    return [_line(invite) for invite in await invites.listing(account)]


def _line(invite: Invite) -> dict[str, Any]:
    return {
        "code": invite.code,
        "uses": invite.uses,
        "most_uses": invite.most_uses,
        "expires": moments.iso(invite.expires_at) if invite.expires_at else None,
        "link": uris.absolute(f"/invite/{invite.code}"),
    }
