"""`fediblog reports …`: what people want the staff to look at."""

from typing import Annotated

import typer

from fediblog import moments
from fediblog.cli import shell
from fediblog.paging import Page
from fediblog.services import reports, views
from fediblog.services.reports import Choice, Report

commands = shell.group("Reports: what people want the staff to look at.")

Number = Annotated[int, typer.Argument(help="Its number, from the list.")]
_MOST = 200


@commands.command("list")
def list_(
    resolved: Annotated[bool, typer.Option("--resolved", help="Those that are dealt with instead.")] = False,
    json: shell.Json = False,
) -> None:
    """The reports that wait, the newest first."""
    shell.show(shell.in_house(lambda: _rows(resolved)), json, "There are no reports.")


@commands.command()
def show(number: Number, json: shell.Json = False) -> None:
    """One report."""

    async def read() -> dict[str, object]:
        return (await _described([await reports.get(None, number)]))[0]

    shell.show_one(shell.in_house(read), json)


@commands.command()
def resolve(number: Number) -> None:
    """It is dealt with."""
    shell.in_house(lambda: reports.resolve(None, number))
    shell.note("It is resolved.")


@commands.command()
def reopen(number: Number) -> None:
    """It is not, after all."""
    shell.in_house(lambda: reports.reopen(None, number))
    shell.note("It is open again.")


async def _rows(resolved: bool) -> list[dict[str, object]]:
    return await _described(await reports.listing(None, Page(_MOST), Choice(resolved)))


async def _described(found: list[Report]) -> list[dict[str, object]]:
    cards = await views.cards(number for one in found for number in (one.account_id, one.target_id))
    return [
        {
            "id": str(report.id),
            "about": cards[report.target_id].handle,
            "by": cards[report.account_id].handle,
            "category": report.category.value,
            "posts": len(report.post_ids),
            "forwarded": report.forwarded,
            "filed": moments.iso(report.created_at),
            "resolved": moments.iso(report.resolved_at) if report.resolved_at else None,
            "comment": report.comment,
        }
        for report in found
    ]
