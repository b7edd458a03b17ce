"""`fediblog accounts …`: the people of this server."""

import sys
from collections.abc import Awaitable, Callable
from getpass import getpass
from typing import Annotated

import typer

from fediblog import db, moments
from fediblog.cli import shell
from fediblog.errors import NotFound
from fediblog.models import Account, Role, User
from fediblog.services import accounts, admission, moderation, roster, second_factor, setup, signups
from fediblog.services.roster import State

commands = shell.group("The people of this server.")

Name = Annotated[str, typer.Argument(help="The name in the handle, without @.")]
Handle = Annotated[str, typer.Argument(help="A name here, or name@server.example.")]


@commands.command()
def create(
    name: Name,
    email: Annotated[str, typer.Option(help="Where mails go.")],
    password: Annotated[
        str, typer.Option(help="Others on this machine can see it here; left out, it is read from stdin.")
    ] = "",
    role: Annotated[Role, typer.Option(help="What this person may do.")] = Role.USER,
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="The e-mail address is known to be right.")
    ] = False,
) -> None:
    """Make somebody, whoever may sign up otherwise."""
    given = password or _password()
    shell.in_house(lambda: setup.create_account(name, email, given, role, confirmed))
    shell.note(f"{name} is there.")


@commands.command("list")
def list_(
    role: Annotated[Role | None, typer.Option(help="Only those with this role.")] = None,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    json: shell.Json = False,
) -> None:
    """Everybody who has an account here."""
    found = shell.in_house(lambda: roster.listing(role, state))
    rows = [
        {
            "name": entry.username,
            "email": entry.email,
            "role": entry.role,
            "state": entry.state,
            "posts": entry.posts,
            "since": moments.iso_day(entry.created_at),
            "last_active": moments.iso_day(entry.last_active_at) if entry.last_active_at else None,
            "id": str(entry.account_id),
        }
        for entry in found
    ]
    shell.show(rows, json, "Nobody.")


@commands.command()
def confirm(name: Name) -> None:
    """Take an e-mail address as confirmed."""
    _with(name, _confirm)
    shell.note(f"The address of {name} is confirmed.")


@commands.command()
def approve(name: Name) -> None:
    """Let somebody in who waits for it; the mail goes out."""
    _with(name, lambda user: signups.approve(user.id, None))
    shell.note(f"{name} is in.")


@commands.command()
def reject(name: Name) -> None:
    """Send somebody away who waits; name and address are deleted."""
    _with(name, lambda user: signups.reject(user.id, None))
    shell.note(f"{name} was sent away.")


@commands.command()
def role(name: Name, role: Annotated[Role, typer.Argument(help="The new role.")]) -> None:
    """Give somebody another role; all their sessions end."""
    _with(name, lambda user: moderation.set_role(user.id, role, None))
    shell.note(f"{name} is {role.value} now.")


@commands.command()
def suspend(
    handle: Handle, reason: Annotated[str, typer.Option(help="Why; for the staff alone.")] = ""
) -> None:
    """Put an account away, here or elsewhere: nobody sees it, and nothing is taken in from it."""
    _with_account(handle, lambda account: moderation.suspend(account, None, reason))
    shell.note(f"{handle} is suspended.")


@commands.command()
def unsuspend(handle: Handle) -> None:
    """Bring a suspended account back. Follows that have ended do not come back."""
    _with_account(handle, lambda account: moderation.unsuspend(account, None))
    shell.note(f"{handle} is back.")


@commands.command()
def limit(handle: Handle) -> None:
    """Show what an account writes, here or elsewhere, to those alone who follow it."""
    _with_account(handle, lambda account: moderation.silence(account, None))
    shell.note(f"{handle} is limited.")


@commands.command()
def unlimit(handle: Handle) -> None:
    """Undo `limit`."""
    _with_account(handle, lambda account: moderation.unsilence(account, None))
    shell.note(f"{handle} is not limited any more.")


@commands.command("reset-password")
def reset_password(name: Name) -> None:
    """Print a link with which somebody can choose a new password, for when no mail arrives."""
    shell.say(_with(name, roster.reset_link))


@commands.command("disable-2fa")
def disable_2fa(name: Name) -> None:
    """Let somebody sign in with the password alone, who has lost the app and the recovery codes.

    Be sure that it is them. All their sessions end, and a mail tells them.
    """
    _with(name, _disable_2fa)
    shell.note(f"{name} signs in with the password alone.")


def _with(name: str, act: Callable[[User], Awaitable[object]]) -> str:
    async def find_and_act() -> str:
        return str(await act(await roster.user(name)))

    return str(shell.in_house(find_and_act))


def _with_account(handle: str, act: Callable[[Account], Awaitable[object]]) -> None:
    async def find_and_act() -> None:
        await act(await accounts.lookup(handle))

    shell.in_house(find_and_act)


async def _confirm(user: User) -> None:
    async with db.transaction():
        await admission.confirm(user)


async def _disable_2fa(user: User) -> None:
    if not await second_factor.take_away(user):
        raise NotFound("No codes are asked for at this sign-in.")


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass("Password: ")
    if getpass("Once more: ") != first:
        shell.fail("The two passwords are not the same.")
    return first
