"""`fediblog media …`: uploaded files, and those of other servers that are kept for a while."""

from typing import Annotated

import typer

from fediblog import moments
from fediblog.cli import shell
from fediblog.services import cached_files, upkeep

commands = shell.group("Uploaded files, and those of other servers.")

_MEGABYTE = 1024 * 1024


@commands.command()
def usage(json: shell.Json = False) -> None:
    """How much of other servers' files is kept here, and how much may be."""
    found = shell.in_house(cached_files.usage)
    since = found.least_used_at
    values = {
        "cached_files": found.files,
        "cached_megabytes": round(found.bytes / _MEGABYTE, 1),
        "limit_megabytes": found.limit_bytes // _MEGABYTE,
        "limit_days": found.days,
        "least_used_at": moments.iso(since) if since else None,
        "could_not_be_had": found.failed,
    }
    shell.show_one(values, json)


@commands.command()
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much it would be.")] = False,
    json: shell.Json = False,
) -> None:
    """Remove files that no post took within a day, what broken uploads left behind, and what is too old or
    too much of other servers' files.
    """
    shell.show_one(shell.in_house(upkeep.prunable_media if dry_run else upkeep.prune_media), json)
