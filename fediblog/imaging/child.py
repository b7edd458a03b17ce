"""The process that looks at one file: `python -I -m fediblog.imaging.child ORDER`.

It puts up its own walls, says that it is ready, does the job and answers with one line of JSON. Whatever goes
wrong that it has no sentence for means that the file is damaged: the libraries raise half of Python's errors
over such files, and some of them crash.
"""

import errno
import json
import os
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from traceback import extract_tb
from types import TracebackType
from typing import Any, cast

from fediblog.errors import Invalid
from fediblog.imaging import headers
from fediblog.imaging.confinement import confine, die_with
from fediblog.imaging.shapes import DAMAGED, READY, TOO_MUCH, Job, Limits, Result


def main() -> None:
    """Read the order from the command line, answer on stdout."""
    order = json.loads(sys.argv[1])
    job = Job(**{**order["job"], "limits": Limits(**order["job"]["limits"])})
    die_with(order["parent"])
    most = max(job.limits.image_bytes, job.limits.video_bytes)
    confine(job.limits.memory, order["seconds"], 2 * most)
    sys.stdout.buffer.write(READY)
    sys.stdout.flush()
    # From here on what is printed may come from the file; it also must not fill a pipe that nobody reads.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.excepthook = _confess
    sys.stdout.write(json.dumps(_answer(job)) + "\n")


def _answer(job: Job) -> dict[str, Any]:
    try:
        return {"result": asdict(_work(job))}
    except Invalid as error:
        return {"refused": "invalid", "sentence": error.message}
    except MemoryError:
        return {"refused": "invalid", "sentence": TOO_MUCH}
    except ImportError:
        return {"refused": "unavailable", "sentence": "Files of this kind cannot be processed here."}
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return {"refused": "space", "sentence": "The server has no space left."}
        raise


def _confess(kind: type[BaseException], _: BaseException, trace: TracebackType | None) -> None:
    """Say for the log where it went wrong. The message is left out: it may quote the file."""
    lines = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in extract_tb(trace)]
    sys.stdout.write(
        json.dumps({"refused": "invalid", "sentence": DAMAGED, "cause": [kind.__name__, *lines]})
    )


def _work(job: Job) -> Result:
    """One room for each kind of work, entered by name: the codecs of a room cost 100 MB of address space."""
    room = import_module(f"fediblog.imaging.{_room(job)}")
    return cast(Result, room.make(job))


def _room(job: Job) -> str:
    if not job.mime.startswith("image/"):
        return "recordings"
    moving = headers.frames(job) > 1
    return "animations" if moving and job.recipe == "media" else "pictures"


if __name__ == "__main__":
    main()
