"""The child: what it may use, that it ends, and that nothing of it stays."""

import asyncio
import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from fediblog import imaging
from fediblog.errors import Invalid, NoSpace, Unavailable
from fediblog.imaging import Limits
from fediblog.imaging.running import AT_ONCE
from tests.imaging import files
from tests.imaging.conftest import Workshop

pytestmark = pytest.mark.once


def _slow(side: int = 2400) -> bytes:
    """A picture that takes a second or so: noise, which PNG has a hard time with."""
    return files.encoded(Image.effect_noise((side, side), 100).convert("RGB"), "PNG", compress_level=1)


def _children(workdir: Path) -> list[int]:
    """The children at work in this directory."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit():
                line = (entry / "cmdline").read_bytes()
                if b"fediblog.imaging.child" in line and str(workdir).encode() in line:
                    found.append(int(entry.name))
    return found


async def _until(condition: Callable[[], object], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_child_that_takes_too_long_is_killed_and_leaves_nothing(workshop: Workshop) -> None:
    assert await workshop.refuse(_slow(), seconds=0.4) == "The file takes too long to process."

    assert _children(workshop.workdir) == []


async def test_a_caller_who_goes_away_takes_the_child_along(workshop: Workshop) -> None:
    task = asyncio.create_task(imaging.make(workshop.upload(_slow()), workshop.workdir, Limits()))
    await _until(workshop.left)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert _children(workshop.workdir) == [] and workshop.left() == set()


async def test_a_child_that_is_killed_from_outside_leaves_nothing(workshop: Workshop) -> None:
    task = asyncio.create_task(imaging.make(workshop.upload(_slow()), workshop.workdir, Limits()))
    await _until(workshop.left)

    os.kill(_children(workshop.workdir)[0], signal.SIGKILL)
    with pytest.raises(Invalid):
        await task

    assert workshop.left() == set()


async def test_a_parent_that_dies_leaves_no_child(workshop: Workshop) -> None:
    source, workdir = workshop.upload(_slow()), workshop.workdir
    script = (
        "import asyncio, sys; from pathlib import Path; from fediblog import imaging;"
        "asyncio.run(imaging.make(Path(sys.argv[1]), Path(sys.argv[2]), imaging.Limits()))"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", script, source, workdir)
    await _until(lambda: [pid for pid in _children(workdir) if _confined(pid)])
    (child,) = _children(workdir)
    os.kill(child, signal.SIGSTOP)  # it cannot end by itself now

    parent.kill()
    await parent.wait()

    await _until(lambda: not _children(workdir))


def test_a_child_whose_parent_died_before_it_woke_up_gives_up(
    upload: Callable[[bytes], Path], workdir: Path
) -> None:
    order = {
        "job": {
            "recipe": "media",
            "mime": "image/png",
            "source": str(upload(files.encoded(files.halves(), "PNG"))),
        },
        "seconds": 5,
        "parent": 1,
    }
    order["job"] |= {"stem": str(workdir / "x"), "limits": {}}  # type: ignore[operator]
    command = [sys.executable, "-I", "-m", "fediblog.imaging.child", json.dumps(order)]

    done = subprocess.run(command, capture_output=True, timeout=20)

    assert done.returncode == 1 and b"the parent is gone" in done.stderr
    assert list(workdir.iterdir()) == []


async def test_no_more_than_a_few_run_at_one_time_whichever_loop_asks(workshop: Workshop) -> None:
    source, most, done = workshop.upload(_slow(1200)), 0, threading.Event()

    async def several() -> None:
        await asyncio.gather(*(imaging.make(source, workshop.workdir, Limits()) for _ in range(3)))

    def elsewhere() -> None:
        asyncio.run(several())
        done.set()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    task = asyncio.create_task(several())
    while not (task.done() and done.is_set()):
        most = max(most, len(_children(workshop.workdir)))
        await asyncio.sleep(0.005)
    await task
    thread.join()

    assert 1 <= most <= AT_ONCE
    assert len(workshop.left()) == 12


async def test_the_loop_goes_on_while_a_child_works(workshop: Workshop) -> None:
    task = asyncio.create_task(workshop.make(_slow()))
    turns = 0
    while not task.done():
        await asyncio.sleep(0.005)
        turns += 1
    await task

    assert turns > 20


async def test_the_child_hears_no_secrets(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEDIBLOG__SECRET_KEY", files.SECRET)
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    task = asyncio.create_task(workshop.make(_slow()))
    await _until(lambda: [pid for pid in _children(workshop.workdir) if _confined(pid)])
    (child,) = _children(workshop.workdir)
    environment = Path(f"/proc/{child}/environ").read_bytes()
    session = os.getsid(child), os.getpgid(child)
    await task

    assert environment.split(b"\0") == [b"LANG=C.UTF-8", b"MALLOC_ARENA_MAX=1", b""]
    assert session == (child, child)


async def test_a_picture_that_needs_more_memory_than_there_is_is_refused(workshop: Workshop) -> None:
    sentence = await workshop.refuse(files.png_bomb(8000, 4000), memory=100 * 1024 * 1024)

    assert sentence == "The file is too large to be processed."


@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        ("bytearray(200_000_000)", b"MemoryError"),
        ("os.write(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT), bytes(20_001))", b""),
        ("[os.dup(0) for _ in range(70)]", b"OSError: [Errno 24]"),
        ("__import__('subprocess').run('ulimit -c', shell=True)", b""),
    ],
)
def test_the_walls_hold(tmp_path: Path, act: str, outcome: bytes) -> None:
    code = (
        f"import os, sys\nfrom fediblog.imaging.confinement import confine\nconfine(10**8, 5, 20_000)\n{act}"
    )

    done = subprocess.run([sys.executable, "-c", code, tmp_path / "file"], capture_output=True, timeout=20)

    assert outcome in done.stderr
    if "O_CREAT" in act:
        assert (tmp_path / "file").stat().st_size == 20_000
    if "ulimit" in act:
        assert done.stdout == b"0\n"


def test_the_wall_of_time_holds() -> None:
    code = "from fediblog.imaging.confinement import confine\nconfine(10**9, 0.5, 1)\nwhile True: pass"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=20)

    assert -done.returncode in (signal.SIGXCPU, signal.SIGKILL)


@pytest.mark.parametrize(
    ("says", "raises", "sentence"),
    [
        ("exit 3", Unavailable, "at the moment"),
        ("echo hello; sleep 60", Unavailable, "at the moment"),
        ("echo ready; echo nonsense", Invalid, "damaged"),
        ("echo ready; echo 17", Invalid, "damaged"),
        ("echo ready; echo {}", Invalid, "damaged"),
        ("""echo ready; echo '{"result": {"kind": "image", "mime": "text/html"}}'""", Invalid, "damaged"),
        ("""echo ready; echo '{"result": {"nonsense": 1}}'""", Invalid, "damaged"),
        ("echo ready; kill -SEGV $$", Invalid, "damaged"),
        ("echo ready; sleep 60", Invalid, "too long"),
        ("echo ready; yes secret | tr -d '\\n'", Invalid, "too long"),
        ("yes >&2", Invalid, "too long"),
        ("""echo ready; echo '{"refused": "space", "sentence": "Full."}'""", NoSpace, "."),
        (
            """echo ready; echo '{"refused": "unavailable", "sentence": "Not here."}'""",
            Unavailable,
            "Not here",
        ),
    ],
)
async def test_whatever_a_child_says_or_does_not_say_there_is_a_sentence(
    workshop: Workshop,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    says: str,
    raises: type[Exception],
    sentence: str,
) -> None:
    false = tmp_path / "python"
    false.write_text(f"#!/bin/bash\n{says}\n")
    false.chmod(false.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(false))

    with pytest.raises(raises, match=sentence):
        await imaging.make(
            workshop.upload(files.encoded(files.halves(), "PNG")), workshop.workdir, Limits(seconds=1)
        )

    assert workshop.left() == set() and _children(workshop.workdir) == []


async def test_without_any_python_the_file_is_not_to_blame(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")

    with pytest.raises(Unavailable):
        await workshop.make(files.encoded(files.halves(), "PNG"))


async def test_a_full_disk_is_not_the_fault_of_the_file(workshop: Workshop, tmp_path: Path) -> None:
    source = workshop.upload(files.encoded(files.halves((600, 600)), "PNG"))
    full = tmp_path / "full"
    full.mkdir()
    order = {
        "job": {
            "recipe": "avatar",
            "mime": "image/png",
            "source": str(source),
            "stem": str(full / "x"),
            "limits": {},
        },
        "seconds": 5,
        "parent": os.getpid(),
    }
    (full / "x.jpg").symlink_to("/dev/full")

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", "fediblog.imaging.child", json.dumps(order)), stdout=subprocess.PIPE
    )
    stdout, _ = await process.communicate()

    assert json.loads(stdout.splitlines()[1])["refused"] == "space"


def _confined(pid: int) -> bool:
    """Whether the child has put up its walls: what comes before them in it is done then as well."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
        return any(line.startswith("Max address space") and "unlimited" not in line for line in lines)
    return False
