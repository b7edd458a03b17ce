"""The last room on the disk is given up when it is needed, and taken back when there is plenty."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from fediblog import reserve

_MEGABYTE = 1024 * 1024
Leave = Callable[[int], None]


@pytest.fixture
def leave(monkeypatch: pytest.MonkeyPatch) -> Iterator[Leave]:
    """`leave(5)` leaves so many megabytes free on every disk."""

    def free(megabytes: int) -> None:
        monkeypatch.setattr(
            reserve.shutil, "disk_usage", lambda _: SimpleNamespace(free=megabytes * _MEGABYTE)
        )

    yield free
    monkeypatch.setattr(reserve, "_file", None)


def test_it_really_occupies_the_room(tmp_path: Path, leave: Leave) -> None:
    leave(500)
    reserve.keep(tmp_path)
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= reserve.SIZE
    assert not reserve.low()


def test_it_goes_when_the_disk_is_full_and_ordinary_writes_wait_for_plenty(
    tmp_path: Path, leave: Leave
) -> None:
    leave(500)
    reserve.keep(tmp_path)
    leave(7)
    assert reserve.low()
    assert not (tmp_path / "reserve").exists()
    leave(23)
    assert reserve.low()
    leave(25)
    assert not reserve.low()
    assert (tmp_path / "reserve").exists()


def test_one_process_sees_what_another_has_done(tmp_path: Path, leave: Leave) -> None:
    leave(500)
    reserve.keep(tmp_path)
    (tmp_path / "reserve").unlink()
    leave(15)
    assert reserve.low()


def test_it_goes_at_once_when_somebody_meets_the_end_of_the_disk(tmp_path: Path, leave: Leave) -> None:
    leave(500)
    reserve.keep(tmp_path)
    reserve.give_up()
    assert not (tmp_path / "reserve").exists()


def test_when_it_cannot_be_taken_back_room_stays_low(
    tmp_path: Path, leave: Leave, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(os, "posix_fallocate", full)
    leave(500)
    reserve.keep(tmp_path)
    assert reserve.low()
    assert not (tmp_path / "reserve").exists()


def test_without_one_room_is_never_low() -> None:
    assert not reserve.low()
