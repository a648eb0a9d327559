from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from digitlab.bundle.folder import ensure_new, new_folder, replace_file
from digitlab.errors import BundleError

Refusal = Callable[..., str]

SLEEP_HALF_WAY = """
import sys, time
from digitlab.bundle.folder import new_folder

with new_folder(sys.argv[1] + "/network") as draft:
    (draft / "a").write_bytes(b"half")
    print("writing", flush=True)
    time.sleep(600)
"""
WRITE_UNTIL_KILLED = """
import os, sys
from digitlab.bundle.folder import new_folder

for number in range(100_000):
    with new_folder(f"{sys.argv[1]}/network-{number}") as draft:
        (draft / "deep").mkdir()
        for name in ("a", "b", "deep/c"):
            (draft / name).write_bytes(os.urandom(100_000))
    print(number, flush=True)
"""


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
    assert (tmp_path / "deep/out").stat().st_mode & 0o777 == 0o755


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


def test_a_place_that_is_taken_is_refused_before_there_is_a_draft(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "file").write_text("mine", "utf-8")
    write(tmp_path / "folder")
    before = names(tmp_path)
    for place in (tmp_path / "file", tmp_path / "folder"):
        for message in (refusal(ensure_new, place), refusal(write, place)):
            assert message.startswith(f"{place}: expected a new folder, received one that is there")
    assert names(tmp_path) == before


@pytest.mark.parametrize("name", ["file/out", "file/deeper/out", "loop", "loop/out", "n" * 256, "n" * 5000])
def test_a_place_where_no_folder_can_be_is_refused(name: str, tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "cannot be written: " in refusal(ensure_new, tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "loop"]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions of this kind are POSIX's")
def test_a_folder_that_may_not_be_written_is_refused(refusal: Refusal) -> None:
    nobody, root = 65534, os.geteuid() == 0
    with tempfile.TemporaryDirectory(prefix="digitlab-test-") as folder:  # tmp_path is closed to others
        Path(folder).chmod(0o555)
        if root:  # whom no permission binds
            os.seteuid(nobody)
        try:
            message = refusal(ensure_new, Path(folder, "out"))
        finally:
            if root:
                os.seteuid(0)
            Path(folder).chmod(0o755)
    assert "cannot be written: Permission denied; name another folder" in message


def test_to_ask_for_a_place_leaves_nothing_in_it(tmp_path: Path) -> None:
    assert ensure_new(tmp_path / "out") == tmp_path / "out"
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("error", "seen", "words"),
    [
        (RuntimeError("no such layer"), RuntimeError, "no such layer"),
        (KeyboardInterrupt(), KeyboardInterrupt, ""),
        (OSError(28, "No space left on device"), BundleError, "cannot be written: No space left on device"),
        (OSError("unable to\nwrite"), BundleError, "cannot be written: unable to write; name another folder"),
    ],
)
def test_an_error_half_way_leaves_nothing(
    error: BaseException, seen: type[BaseException], words: str, tmp_path: Path
) -> None:
    def fail() -> None:
        with new_folder(tmp_path / "out") as draft:
            (draft / "file").write_bytes(b"half")
            raise error

    with pytest.raises(seen) as caught:
        fail()
    assert words in str(caught.value)
    assert names(tmp_path) == []


def test_whoever_comes_second_to_a_place_leaves_the_firsts_folder_alone(
    tmp_path: Path, refusal: Refusal
) -> None:
    def overtaken() -> None:
        with new_folder(tmp_path / "out") as draft:
            (draft / "file").write_bytes(b"second")
            write(tmp_path / "out", b"first")

    assert "cannot be written: " in refusal(overtaken)
    assert names(tmp_path) == ["out", "out/file"]
    assert (tmp_path / "out" / "file").read_bytes() == b"first"


def test_a_file_is_replaced_by_a_whole_one_that_all_may_read(tmp_path: Path, refusal: Refusal) -> None:
    file = tmp_path / "file"
    for content in (b"old", b"new and longer"):
        replace_file(file, content)
        assert file.read_bytes() == content
        assert file.stat().st_mode & 0o777 == 0o644
    assert "cannot be written: " in refusal(replace_file, tmp_path / "nowhere" / "file", b"")
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    assert "cannot be written: " in refusal(replace_file, tmp_path / "folder", b"")
    assert names(tmp_path) == ["file", "folder", "folder/inner"]


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
