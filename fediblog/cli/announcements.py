"""`fediblog announcements …`: what everybody here is told."""

from datetime import datetime
from typing import Annotated

import typer

from fediblog import moments
from fediblog.cli import shell
from fediblog.services import announcements
from fediblog.services.announcements import Kept

commands = shell.group("Announcements: what everybody here is told.")

Number = Annotated[int, typer.Argument(help="Its number, from the list.")]
When = Annotated[datetime | None, typer.Option(help="In UTC, such as 2026-12-24T18:00:00.")]


@commands.command("list")
def list_(json: shell.Json = False) -> None:
    """All of them, also those that are withdrawn or over."""
    kept: list[Kept] = shell.in_house(announcements.kept)
    shell.show([_row(each) for each in kept], json, "There are no announcements.")


@commands.command()
def add(
    words: Annotated[str, typer.Argument(metavar="TEXT", help="What to say.")],
    starts: When = None,
    ends: When = None,
    all_day: Annotated[bool, typer.Option("--all-day", help="The hours do not matter.")] = False,
    json: shell.Json = False,
) -> None:
    """Tell everybody something from now on. What it is about may start later; when it ends it is gone."""
    begin, end = (moments.of(when) if when else None for when in (starts, ends))
    number = shell.in_house(lambda: announcements.add(None, words, begin, end, all_day))
    shell.show_one({"id": str(number)}, json)


@commands.command()
def publish(number: Number) -> None:
    """Show one again that was withdrawn."""
    shell.in_house(lambda: announcements.publish(None, number))
    shell.note("Everybody sees it.")


@commands.command()
def unpublish(number: Number) -> None:
    """Show it to nobody any more, but keep it."""
    shell.in_house(lambda: announcements.unpublish(None, number))
    shell.note("Nobody sees it any more.")


@commands.command()
def remove(number: Number) -> None:
    """Delete it for good."""
    shell.in_house(lambda: announcements.remove(None, number))
    shell.note("It is deleted.")


def _row(kept: Kept) -> dict[str, object]:
    return {
        "id": str(kept.id),
        "published": moments.iso(kept.published_at) if kept.published_at else None,
        "starts": moments.iso(kept.starts_at) if kept.starts_at else None,
        "ends": moments.iso(kept.ends_at) if kept.ends_at else None,
        "all_day": kept.all_day,
        "text": kept.text,
    }
