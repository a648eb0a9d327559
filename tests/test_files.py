from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlab.errors import OutputError
from digitlab.files import ensure_folder, ensure_new, new_file, new_folder, whole_file, write_whole

Writer = Callable[[Path], AbstractContextManager[Path]]
WRITERS: tuple[Writer, ...] = (whole_file, new_file, new_folder)

SLEEP_HALF_WAY = """
import sys, time
from digitlab.files import new_folder

with new_folder(sys.argv[1] + "/network") as draft:
    (draft / "a").write_bytes(b"half")
    print("writing", flush=True)
    time.sleep(600)
"""
WRITE_UNTIL_KILLED = """
import os, sys
from digitlab.files import new_folder

for number in range(100_000):
    with new_folder(f"{sys.argv[1]}/network-{number}") as draft:
        (draft / "deep").mkdir()
        for name in ("a", "b", "deep/c"):
            (draft / name).write_bytes(os.urandom(100_000))
    print(number, flush=True)
"""


def refusal(function: Callable[..., Any], *arguments: Any) -> str:
    """Call something that must raise an OutputError, and give its message: one line."""
    with pytest.raises(OutputError) as caught:
        function(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    return message


@contextmanager
def folder_of_nobody(mode: int) -> Iterator[Path]:
    """Give a folder of such permissions, and while it is used be somebody whom they bind, as root is not."""
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory(prefix="digitlab-test-") as name:  # tmp_path is closed to others
        folder = Path(name)
        write_whole(folder / "protected", b"mine").chmod(0o444)
        folder.chmod(mode)
        if root:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def write(folder: Path | str, content: bytes = b"whole") -> Path:
    with new_folder(folder) as draft:
        (draft / "file").write_bytes(content)
    return Path(folder)


def test_what_is_written_into_the_draft_is_in_the_folder_in_the_end(tmp_path: Path) -> None:
    with new_folder(tmp_path / "deep" / "out") as draft:
        (draft / "inner").mkdir()
        (draft / "inner" / "file").write_bytes(b"whole")
        assert not (tmp_path / "deep" / "out").exists()
    assert names(tmp_path) == ["deep", "deep/out", "deep/out/inner", "deep/out/inner/file"]
    assert (tmp_path / "deep/out/inner/file").read_bytes() == b"whole"
    assert (tmp_path / "deep/out").stat().st_mode & 0o555 == 0o555


def test_an_empty_folder_may_be_taken(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert names(write(tmp_path / "empty")) == ["file"]
    assert names(tmp_path) == ["empty", "empty/file"]


@pytest.mark.parametrize("start", ["out", "./out/", "deep/er/out", "here/../out"])
def test_a_folder_may_be_named_from_where_one_is(
    start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("here").mkdir()
    assert names(write(start)) == ["file"]


def test_a_link_leads_to_the_folder(tmp_path: Path) -> None:
    for name in ("empty", "not-there-yet"):
        (tmp_path / f"to-{name}").symlink_to(tmp_path / name)
    (tmp_path / "empty").mkdir()
    for name in ("empty", "not-there-yet"):
        write(tmp_path / f"to-{name}")
        assert names(tmp_path / name) == ["file"]
        assert (tmp_path / f"to-{name}").is_symlink()


def test_the_longest_name_that_a_folder_may_have_will_do(tmp_path: Path) -> None:
    assert names(write(tmp_path / ("n" * 255))) == ["file"]


def test_a_place_that_is_taken_is_refused_before_there_is_a_draft(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", "utf-8")
    write(tmp_path / "folder")
    before = names(tmp_path)
    for place in (tmp_path / "file", tmp_path / "folder"):
        for message in (refusal(ensure_new, place), refusal(write, place)):
            assert message.startswith(f"{place}: expected a new folder, received one that is there")
    assert names(tmp_path) == before


@pytest.mark.parametrize("name", ["file/out", "file/deeper/out", "loop", "loop/out", "n" * 256, "n" * 5000])
def test_a_place_where_no_folder_can_be_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "cannot be written: " in refusal(ensure_new, tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "loop"]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions of this kind are POSIX's")
def test_a_folder_that_may_not_be_written_is_refused() -> None:
    with folder_of_nobody(0o555) as folder:
        assert "cannot be written: Permission denied; " in refusal(ensure_new, folder / "out")
        assert "cannot be written: Permission denied; " in refusal(write_whole, folder / "out", b"")


def test_a_folder_for_files_is_made_or_taken_as_it_is(tmp_path: Path) -> None:
    for _ in range(2):
        assert ensure_folder(tmp_path / "deep" / "folder") == tmp_path / "deep" / "folder"
    assert names(tmp_path) == ["deep", "deep/folder"]
    write_whole(tmp_path / "file", b"mine")
    for place in (tmp_path / "file", tmp_path / "file" / "folder"):
        assert refusal(ensure_folder, place).startswith(f"{place}: cannot be written: ")


def test_to_ask_for_a_place_leaves_nothing_in_it(tmp_path: Path) -> None:
    assert ensure_new(tmp_path / "out") == tmp_path / "out"
    assert names(tmp_path) == []


def fill(draft: Path, folder: bool) -> None:
    """Write something into a draft: a file in it, or the file that it is."""
    if folder:
        draft /= "file"
    draft.write_bytes(b"half")


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize(
    ("error", "seen", "words"),
    [
        (RuntimeError("no such layer"), RuntimeError, "no such layer"),
        (KeyboardInterrupt(), KeyboardInterrupt, ""),
        (SystemExit(143), SystemExit, ""),
        (OSError(28, "No space left on device"), OutputError, "cannot be written: No space left on device"),
        (OSError("unable to\nwrite"), OutputError, "cannot be written: unable to write; see that"),
    ],
)
def test_an_error_half_way_leaves_nothing(
    error: BaseException, seen: type[BaseException], words: str, writer: Writer, tmp_path: Path
) -> None:
    def fail() -> None:
        with writer(tmp_path / "out") as draft:
            fill(draft, writer is new_folder)
            raise error

    with pytest.raises(seen) as caught:
        fail()
    assert words in str(caught.value)
    assert names(tmp_path) == []


def test_whoever_comes_second_to_a_place_leaves_the_firsts_folder_alone(
    tmp_path: Path,
) -> None:
    def overtaken() -> None:
        with new_folder(tmp_path / "out") as draft:
            (draft / "file").write_bytes(b"second")
            write(tmp_path / "out", b"first")

    assert "cannot be written: " in refusal(overtaken)
    assert names(tmp_path) == ["out", "out/file"]
    assert (tmp_path / "out" / "file").read_bytes() == b"first"


def test_a_file_is_replaced_by_a_whole_one_that_all_may_read(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "file"
    for content in (b"old", b"new and longer"):
        assert write_whole(file, content) == file
        assert file.read_bytes() == content
        assert file.stat().st_mode & 0o444 == 0o444
    assert names(tmp_path) == ["deep", "deep/file"]


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    file = write_whole(tmp_path / "file", b"old")
    with whole_file(file) as draft:
        draft.write_bytes(b"new")
        assert file.read_bytes() == b"old"
    assert file.read_bytes() == b"new"


def test_a_full_disk_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="a limit on files stands for the full disk")
    file = write_whole(tmp_path / "file", b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        message = refusal(write_whole, file, bytes(20_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert message.startswith(f"{file}: cannot be written: ")
    assert file.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("letter", ["n", "ж", "字"])
def test_a_file_may_have_the_longest_name_that_there_is(letter: str, tmp_path: Path) -> None:
    name = letter * (255 // len(letter.encode()))
    write_whole(tmp_path / name, b"old")
    write_whole(tmp_path / name, b"new")
    assert names(tmp_path) == [name]


def test_a_link_leads_to_the_file_that_is_replaced(tmp_path: Path) -> None:
    file = write_whole(tmp_path / "there" / "file", b"old")
    link = tmp_path / "link"
    link.symlink_to(file)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert file.read_bytes() == b"new"


@pytest.mark.parametrize("name", ["file/out", "folder", "loop/out", "n" * 256])
def test_a_place_where_no_file_can_be_is_refused(name: str, tmp_path: Path) -> None:
    write_whole(tmp_path / "file", b"mine")
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    before = names(tmp_path)
    assert str(tmp_path / name) in refusal(write_whole, tmp_path / name, b"")
    assert names(tmp_path) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of this kind are POSIX's")
def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "expected a file or nothing there" in refusal(write_whole, pipe, b"")
    assert pipe.is_fifo()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions of this kind are POSIX's")
def test_a_file_that_is_write_protected_is_not_replaced() -> None:
    with folder_of_nobody(0o777) as folder:
        message = refusal(write_whole, folder / "protected", b"")
        assert "cannot be written: Permission denied" in message
        assert (folder / "protected").read_bytes() == b"mine"
        assert names(folder) == ["protected"]


def test_a_new_file_takes_no_others_place(tmp_path: Path) -> None:
    def take(place: Path) -> None:
        with new_file(place) as draft:
            draft.write_bytes(b"new")

    def come_second() -> None:
        with new_file(tmp_path / "contested") as draft:
            draft.write_bytes(b"second")
            write_whole(tmp_path / "contested", b"first")

    file = write_whole(tmp_path / "file", b"mine")
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    for place in (file, tmp_path, tmp_path / "link"):
        assert "expected a new path, received one that is there" in refusal(take, place)
    assert "expected a new path, received one that is there" in refusal(come_second)
    assert file.read_bytes() == b"mine"
    assert (tmp_path / "contested").read_bytes() == b"first"
    assert names(tmp_path) == ["contested", "file", "link"]


@contextmanager
def launched(program: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", program, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def finished(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


@pytest.mark.slow
def test_a_kill_half_way_leaves_a_hidden_draft_and_does_not_stand_in_the_way(tmp_path: Path) -> None:
    with launched(SLEEP_HALF_WAY, tmp_path) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        writer.kill()
    assert finished(tmp_path) == set()
    assert list(tmp_path.iterdir())
    assert names(write(tmp_path / "network")) == ["file"]


@pytest.mark.slow
def test_who_looks_while_folders_are_written_sees_whole_ones_only(tmp_path: Path) -> None:
    seen: set[str] = set()
    with launched(WRITE_UNTIL_KILLED, tmp_path) as writer:
        while len(seen) < 100 and writer.poll() is None:
            new = finished(tmp_path) - seen
            assert all(names(tmp_path / name) == ["a", "b", "deep", "deep/c"] for name in new)
            seen |= new
        writer.kill()
    assert len(seen) >= 100


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_whole_folders_only(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    for attempt in range(5):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        with launched(WRITE_UNTIL_KILLED, folder) as writer:
            assert writer.stdout is not None
            told = [writer.stdout.readline().strip() for _ in range(3)]
            time.sleep(random.uniform(0, 0.02))
            writer.kill()
            told += writer.stdout.read().split()
        assert {f"network-{number}" for number in told} <= finished(folder)
        assert len(finished(folder)) <= len(told) + 1
        for name in finished(folder):
            assert [(folder / name / file).stat().st_size for file in ("a", "b", "deep/c")] == [100_000] * 3
