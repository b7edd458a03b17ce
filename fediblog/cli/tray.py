"""`fediblog queue …`: the trays: owed work, what others have brought, and what they shall hear of."""

from typing import Annotated, Any

import typer

from fediblog import moments
from fediblog.cli import shell
from fediblog.services import events, inbox_items, work

commands = shell.group("The work that waits.")


@commands.command()
def status(json: shell.Json = False) -> None:
    """How much waits, and what was put aside because nothing can be made of it."""
    heaps, poison = shell.in_house(_look)
    if json:
        shell.show_one({"work": heaps, "quarantined": poison}, json)
        return
    shell.show(heaps, json, "Nothing waits.")
    if poison:
        shell.note("\nIn quarantine; `fediblog queue retry ID` gives one a fresh start:")
        shell.show(poison, json)


@commands.command()
def retry(
    ids: Annotated[list[int] | None, typer.Argument(help="What to retry.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Retry all that is in quarantine.")] = False,
) -> None:
    """Give work that was put aside a fresh start."""
    if bool(ids) == everything:
        raise typer.BadParameter("Name the ids, or say --all.")
    number = shell.in_house(lambda: _retry(ids or []))
    shell.note(f"{number} to be done again.")


async def _look() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    now = moments.now()
    heaps = [
        {
            "kind": heap.kind,
            "state": heap.state,
            "rows": heap.rows,
            "oldest_seconds": max(0, (now - heap.oldest) // moments.SECOND),
        }
        for heap in [*await work.heaps(), *await inbox_items.heaps()]
    ]
    poison = [
        {
            "id": row.id,
            "kind": row.kind,
            "key": row.key,
            "crashes": row.crashes,
            "since": moments.iso(row.created_at),
            "error": row.error,
        }
        for row in await work.quarantined()
    ]
    poison += [
        {
            "id": row.id,
            "kind": "activity",
            "key": row.uri,
            "crashes": row.crashes,
            "since": moments.iso(row.received_at),
            "error": row.error,
        }
        for row in await inbox_items.quarantined()
    ]
    poison += [
        {
            "id": row.id,
            "kind": row.kind,
            "key": str(row.account_id or "server"),
            "crashes": 1,
            "since": moments.iso(row.quarantined_at),
            "error": row.error,
        }
        for row in await events.quarantined()
    ]
    return heaps, poison


async def _retry(ids: list[int]) -> int:
    trays = (work, inbox_items, events)
    held = {row.id: tray for tray in trays for row in await tray.quarantined()}
    chosen = ids or list(held)
    for number in chosen:
        await held.get(number, work).retry(number)
    return len(chosen)
