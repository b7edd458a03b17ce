"""`fediblog statistics …`: the numbers of each day."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from fediblog import moments
from fediblog.cli import shell
from fediblog.services import accounts, statistics

commands = shell.group("Daily statistics.")

Day = Annotated[str, typer.Option(help="A day in UTC such as 2026-11-22.")]


@commands.command()
def show(
    first: Day = "",
    last: Day = "",
    days: Annotated[int, typer.Option(min=1, max=3650, help="So many days up to the last.")] = 30,
    account: Annotated[str, typer.Option(help="Of one account instead of the server.")] = "",
    csv: Annotated[bool, typer.Option("--csv", help="Print a table for a spreadsheet.")] = False,
    json: shell.Json = False,
) -> None:
    """A line for each day: today's is what has been counted so far."""
    end = _day(last) if last else moments.day(moments.now())
    start = _day(first) if first else end - days + 1
    found = shell.in_house(lambda: _read(account, start, end))
    if csv:
        typer.echo(statistics.csv(found), nl=False)
        return
    shell.show([_line(day) for day in found], json)


@commands.command()
def rebuild() -> None:
    """Count every day anew from what the database holds."""
    shell.note(f"{shell.in_house(statistics.rebuild)} days counted.")


async def _read(account: str, first: int, last: int) -> Any:
    if account:
        return await statistics.account_days(await accounts.lookup(account), first, last)
    return await statistics.server_days(first, last)


def _line(day: Any) -> dict[str, Any]:
    return {**asdict(day), "day": moments.iso_day(moments.day_start(day.day))}


def _day(text: str) -> int:
    try:
        moment = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise typer.BadParameter(f"{text} is no day such as 2026-11-22.") from None
    return int(moment.timestamp()) * moments.SECOND // moments.DAY
