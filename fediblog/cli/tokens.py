"""`fediblog tokens …`: API tokens for scripts."""

from typing import Annotated

import typer

from fediblog.cli import shell
from fediblog.services import members, roster, tokens

commands = shell.group("API tokens.")


@commands.command()
def create(
    name: Annotated[str, typer.Argument(help="For whose account.")],
    scopes: Annotated[str, typer.Option(help='What it may do, such as "read write follow push".')] = "read",
) -> None:
    """Print a fresh access token, alone on stdout. It is shown this once."""
    shell.say(shell.in_house(lambda: _create(name, scopes)))


async def _create(name: str, scopes: str) -> str:
    user = await roster.user(name)
    return await tokens.create(await members.acted_for(user), user, scopes)
