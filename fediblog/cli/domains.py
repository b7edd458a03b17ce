"""`fediblog domains …`: what holds for whole servers."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from fediblog import moments
from fediblog.cli import shell
from fediblog.services import domain_lists, domain_rules, settings
from fediblog.services.domain_lists import Change, Line
from fediblog.services.domain_rules import Rule
from fediblog.services.domains import Level

commands = shell.group("What holds for other servers.")

Domain = Annotated[str, typer.Argument(help="The server, and all below it; such as far.example.")]
Comment = Annotated[str, typer.Option(help="Why; may be shown to everybody.")]
Private = Annotated[str, typer.Option(help="Why; for the staff alone.")]
Media = Annotated[bool, typer.Option("--reject-media", help="Show none of its pictures, films and sounds.")]
Reports = Annotated[bool, typer.Option("--reject-reports", help="Take no reports from there.")]
Obfuscate = Annotated[bool, typer.Option("--obfuscate", help="Star out part of the name in public.")]


@commands.command("list")
def list_(json: shell.Json = False) -> None:
    """All rules, and whether only listed servers may speak with us."""

    async def read() -> tuple[list[Rule], bool]:
        return await domain_rules.listing(), (await settings.get()).allow_list

    rules, allow_list = shell.in_house(read)
    shell.show([_row(rule) for rule in rules], json, "There are no rules.")
    if allow_list:
        shell.note("Only the servers in this list may speak with us.")


@commands.command()
def block(
    domain: Domain, public_comment: Comment = "", private_comment: Private = "", obfuscate: Obfuscate = False
) -> None:
    """Have nothing to do with a server any more; the follows between it and us end for good."""
    rule = Rule(domain, Level.SUSPEND, True, True, public_comment, private_comment, obfuscate)
    _make(rule, "is blocked")


@commands.command()
def limit(
    domain: Domain,
    reject_media: Media = False,
    reject_reports: Reports = False,
    public_comment: Comment = "",
    private_comment: Private = "",
    obfuscate: Obfuscate = False,
) -> None:
    """Show what comes from a server to those alone who follow somebody there."""
    flags = (reject_media, reject_reports)
    rule = Rule(domain, Level.SILENCE, *flags, public_comment, private_comment, obfuscate)
    _make(rule, "is limited")


@commands.command()
def allow(
    domain: Domain,
    reject_media: Media = False,
    reject_reports: Reports = False,
    public_comment: Comment = "",
    private_comment: Private = "",
) -> None:
    """Let a server in, whatever the rule about a domain above it, or the allow-list, says."""
    rule = Rule(domain, Level.NONE, reject_media, reject_reports, public_comment, private_comment)
    _make(rule, "is allowed")


@commands.command()
def unblock(domain: Domain) -> None:
    """Drop the rule about a server, whatever it says. Follows do not come back."""
    shell.in_house(lambda: domain_rules.lift(domain, None))
    shell.note(f"There is no rule about {domain} any more.")


@commands.command("allow-list")
def allow_list(
    mode: Annotated[
        str, typer.Argument(help="on: only listed servers may speak with us. off: all others too.")
    ] = "",
    json: shell.Json = False,
) -> None:
    """Speak with listed servers alone, or with everybody; without a word: say which it is."""
    if mode not in ("", "on", "off"):
        raise typer.BadParameter("Say on or off.")
    if mode:
        shell.in_house(lambda: domain_rules.set_allow_list(mode == "on", None))
    site = shell.in_house(settings.get)
    shell.show_one({"allow_list": site.allow_list}, json)


@commands.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A list in Mastodon's format; - is stdin.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    json: shell.Json = False,
) -> None:
    """Take in a list of rules, all of it or nothing. Stricter rules of ours stay as they are."""
    rules = domain_lists.read(_content(file))
    act = domain_lists.preview if dry_run else _take_in
    lines: list[Line] = shell.in_house(lambda: act(rules))
    shell.show([_change(line) for line in lines if line.change is not Change.SAME], json, "Nothing changes.")
    number = sum(line.change in (Change.NEW, Change.CHANGED) for line in lines)
    shell.note(f"{number} of {len(lines)} rules {'would be' if dry_run else 'were'} taken in.")


@commands.command()
def export() -> None:
    """Print all rules as a list that Mastodon and others take in."""
    typer.echo(shell.in_house(domain_lists.export), nl=False)


def _make(rule: Rule, done: str) -> None:
    made: Rule = shell.in_house(lambda: domain_rules.make(rule, None))
    shell.note(f"{made.domain} {done}.")


async def _take_in(rules: list[Rule]) -> list[Line]:
    return await domain_lists.take_in(rules, None)


def _content(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as error:
        shell.fail(f"{file} cannot be read: {error.strerror}.")
    except UnicodeDecodeError:
        shell.fail(f"{file} is not text.")


def _row(rule: Rule) -> dict[str, object]:
    return {
        "domain": rule.domain,
        "level": rule.level.value,
        "reject_media": rule.reject_media,
        "reject_reports": rule.reject_reports,
        "obfuscate": rule.obfuscate,
        "since": moments.iso_day(rule.created_at),
        "public_comment": rule.public_comment,
        "private_comment": rule.private_comment,
    }


def _change(line: Line) -> dict[str, object]:
    return {
        "domain": line.rule.domain,
        "change": line.change.value,
        "before": line.before.level.value if line.before else None,
        "level": line.rule.level.value,
        "follows_lost": line.follows,
        "followers_lost": line.followers,
    }
