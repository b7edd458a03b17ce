"""`fediblog …`: each command reads its words, calls one service and prints."""

from fediblog.cli.commands import main

__all__ = ["main"]
