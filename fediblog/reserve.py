"""The last room on the disk: when it is full, people can still sign in (SECURITY R10).

From the start a file beside the SQLite database keeps some megabytes occupied. When nearly nothing else is
left the file goes, and what is small and cannot wait has room again: signing in and out, deleting, writing
down that a piece of work is done. All else is refused until there is plenty; then the file comes back.
"""

import os
import shutil
from pathlib import Path

SIZE = 8 * 1024 * 1024
# A view that may write while room is low says so with an attribute of this name.
MARK = "even_when_full"
# Less free space than this and the reserve is given up.
_LOW = SIZE
# Without the reserve: as much as lets us take it again and not give it up at once.
_PLENTY = 3 * SIZE

_file: Path | None = None


def keep(folder: Path) -> None:
    """Hold a reserve in this folder from now on, in a file that all processes of the installation share."""
    global _file
    _file = folder / "reserve"
    low()


def low() -> bool:
    """True while only what cannot wait may be written. Gives the reserve up or takes it back as needed."""
    if _file is None:
        return False
    try:
        free = shutil.disk_usage(_file.parent).free
        if not _file.exists():
            return free < _PLENTY or not _take(_file)
        if free >= _LOW:
            return False
        _file.unlink(missing_ok=True)
    except OSError:
        return False  # A folder that cannot be asked: the write itself will tell.
    return True


def give_up() -> None:
    """Somebody has met the end of the disk."""
    if _file is not None:
        _file.unlink(missing_ok=True)


def _take(file: Path) -> bool:
    with file.open("wb") as reserve:
        try:
            os.posix_fallocate(reserve.fileno(), 0, SIZE)
        except OSError:
            file.unlink(missing_ok=True)
            return False
    return True
