"""The command line in this process: `shell("accounts", "list")` gives exit code, stdout and stderr."""

import io
import sys
from typing import NamedTuple

import pytest

from fediblog import config as configuration
from fediblog.cli import main, shell

SECRET = "s3cr3t" * 8


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder, and we stand in it; the environment says nothing about fediblog."""
    monkeypatch.delenv("FEDIBLOG_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(folder, capsys, monkeypatch):
    """Runs a command line, with what is typed into it."""
    before = configuration._current

    def run(*words, given=""):
        monkeypatch.setattr(sys, "argv", ["fediblog", *words])
        # Or its name would be told by how pytest was started.
        monkeypatch.setattr(sys.modules["__main__"], "__package__", None)
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        shell.use(None)
        printed = capsys.readouterr()
        return Done(int(ended.value.code or 0), printed.out, printed.err)

    yield run
    configuration._current = before


@pytest.fixture
def site(command):
    """A command line on an installation with an empty database."""
    assert command("config", "init", "--local").code == 0
    assert command("db", "upgrade").code == 0
    return command
