"""`fediblog media …`: uploaded files."""

from fediblog.cli import shell
from fediblog.services import upkeep

commands = shell.group("Uploaded files.")


@commands.command()
def prune(json: shell.Json = False) -> None:
    """Remove files that no post took within a day, and what broken uploads left behind."""
    shell.show_one(shell.in_house(upkeep.prune_media), json)
