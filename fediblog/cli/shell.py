"""What all commands share: the configuration they work with, and how they print and fail.

Exit codes: 0 done, 1 failed, 2 wrong usage. What a program may read goes to stdout, all else to stderr.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fediblog import house, logs
from fediblog.config import Config, Log

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_WIDE = 10_000

_place: Path | None = None


def group(about: str) -> typer.Typer:
    """An empty group of commands."""
    return typer.Typer(help=about, no_args_is_help=True, pretty_exceptions_enable=False)


def use(path: Path | None) -> None:
    """Remember where `--config` says the configuration is."""
    global _place
    _place = path


def place() -> Path | None:
    """What `--config` said."""
    return _place


def configuration() -> Config:
    """The configuration of this command. Raises ConfigError."""
    return house.configuration_of(_place)


def in_house(act: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine function with the database open, and give what it gives."""
    config = configuration()
    # A command's own words are on stdout: only what is wrong is logged, and that on stderr.
    logs.set_up(Log(level="warning", format=config.log.format), sys.stderr)

    async def inside() -> Any:
        async with house.opened(config):
            return await act()

    return asyncio.run(inside())


def say(text: str) -> None:
    """A line of output."""
    typer.echo(text)


def note(text: str) -> None:
    """A line for people, beside the output."""
    typer.echo(text, err=True)


def fail(text: str) -> NoReturn:
    """Say what went wrong and end with 1."""
    note(text)
    raise typer.Exit(1)


def show(rows: Sequence[Mapping[str, Any]], json: bool, nothing: str = "Nothing there.") -> None:
    """A listing: a table for people, a list of objects for programs."""
    if json:
        say(orjson.dumps([dict(row) for row in rows], default=str, option=orjson.OPT_INDENT_2).decode())
    elif not rows:
        note(nothing)
    else:
        table = Table(box=None, pad_edge=False)
        for name in rows[0]:
            table.add_column(name.replace("_", " "), no_wrap=not sys.stdout.isatty())
        for row in rows:
            table.add_row(*(Text("" if value is None else str(value)) for value in row.values()))
        # What goes into a file or another program is never cut.
        Console(width=None if sys.stdout.isatty() else _WIDE).print(table)


def show_one(values: Mapping[str, Any], json: bool) -> None:
    """One thing: a line for each value, or one object."""
    if json:
        say(orjson.dumps(dict(values), default=str, option=orjson.OPT_INDENT_2).decode())
    else:
        for name, value in values.items():
            say(f"{name}: {value}")
