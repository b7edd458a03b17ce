"""`fediblog trends …`: what many talk about, and what of it everybody may be shown."""

from typing import Annotated

import typer

from fediblog.cli import shell
from fediblog.services import trending, trends
from fediblog.services.trending import Kind
from fediblog.services.trends import Standing

commands = shell.group("Trends: what many talk about, shown once somebody has let it pass.")

Which = Annotated[Kind, typer.Argument(help="tag, link or post.")]
Number = Annotated[int, typer.Argument(help="Its number, from the list.")]


@commands.command("list")
def list_(
    kind: Which,
    waiting: Annotated[bool, typer.Option(help="Only those that nobody has looked at.")] = False,
    json: shell.Json = False,
) -> None:
    """What is a trend now, the best first, and what was said of it."""
    found = shell.in_house(lambda: trends.standing(kind, waiting))
    shell.show([_line(one) for one in found], json, "There are no trends.")


@commands.command()
def allow(kind: Which, number: Number) -> None:
    """Let one pass."""
    shell.in_house(lambda: trends.review(kind, number, True, None))
    shell.note("It may be shown.")


@commands.command()
def refuse(kind: Which, number: Number) -> None:
    """Keep one from being shown."""
    shell.in_house(lambda: trends.review(kind, number, False, None))
    shell.note("It is not shown.")


@commands.command()
def count() -> None:
    """Count anew, instead of waiting for the clock."""
    found = shell.in_house(trending.compute)
    shell.note(", ".join(f"{number} {kind.value}s" for kind, number in found.items()) + " looked at.")


def _line(one: Standing) -> dict[str, object]:
    said = {None: "nobody has looked", True: "allowed", False: "refused"}[one.allowed]
    return {"number": str(one.id), "name": one.name, "score": round(one.score, 1), "review": said}
