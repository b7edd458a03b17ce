"""A workshop, and the files that tests put into it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fediblog import imaging
from fediblog.errors import Invalid
from fediblog.imaging import Limits, Made


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def upload(tmp_path: Path) -> Callable[[bytes], Path]:
    """Put bytes where an upload would be."""
    count = 0

    def put(data: bytes) -> Path:
        nonlocal count
        count += 1
        path = tmp_path / f"upload{count}"
        path.write_bytes(data)
        return path

    return put


class Workshop:
    """`make` with the usual arguments, and what is in the directory afterwards."""

    def __init__(self, upload: Callable[[bytes], Path], workdir: Path) -> None:
        self.upload, self.workdir = upload, workdir

    async def make(self, data: bytes, **limits: float) -> Made:
        made = await imaging.make(self.upload(data), self.workdir, Limits(**limits))  # type: ignore[arg-type]
        assert self.left() == {path.name for path in (made.file, made.small) if path}
        return made

    async def refuse(self, data: bytes, **limits: float) -> str:
        """The sentence that the file is refused with; nothing may be left of it."""
        with pytest.raises(Invalid) as caught:
            await imaging.make(self.upload(data), self.workdir, Limits(**limits))  # type: ignore[arg-type]
        assert self.left() == set()
        return caught.value.message

    def left(self) -> set[str]:
        return {path.name for path in self.workdir.iterdir()}


@pytest.fixture
def workshop(upload: Callable[[bytes], Path], workdir: Path) -> Workshop:
    return Workshop(upload, workdir)
