from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from digitlab.bundle.files import CARD, MODEL, check_bundle, ensure_new, write_bundle
from digitlab.errors import BundleError
from digitlab.results.record import Result

Save = Callable[[str], None]
Refusal = Callable[..., str]

PRELUDE = """
import os, pickle, sys, time
from pathlib import Path
from digitlab.bundle.files import write_bundle

folder, result = Path(sys.argv[1]), pickle.loads(Path(sys.argv[2]).read_bytes())
"""
SLEEP_HALF_WAY = """
def save(path):
    Path(path).write_bytes(b"half a network")
    print("writing", flush=True)
    time.sleep(600)

write_bundle(folder / "network", result, save)
"""
WRITE_UNTIL_KILLED = """
def save(path):
    Path(path).write_bytes(os.urandom(100_000))

for number in range(100_000):
    write_bundle(folder / f"network-{number}", result, save)
    print(number, flush=True)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_bundle_is_a_network_and_a_card_that_says_where_it_comes_from(
    tmp_path: Path, result: Result, save: Save, network: bytes
) -> None:
    written = write_bundle(tmp_path / "models" / "mine", result, save)
    assert names(tmp_path / "models") == ["mine"]
    assert names(written.folder) == [CARD, MODEL]
    assert written.model_path.read_bytes() == network
    card = written.card
    assert (card.recipe, card.trial, card.trial_id) == ("cnn", result.trial, result.trial.id)
    assert (card.parameters, card.multiply_adds) == (result.parameters, result.multiply_adds)
    assert (card.validation, card.test) == (result.final_validation, result.final_test)
    assert card.environment == result.environment
    assert card.files == {MODEL: hashlib.sha256(network).hexdigest()}


def test_a_bundle_may_be_written_into_an_empty_folder(tmp_path: Path, result: Result, save: Save) -> None:
    (tmp_path / "empty").mkdir()
    assert names(write_bundle(tmp_path / "empty", result, save).folder) == [CARD, MODEL]
    assert names(tmp_path) == ["empty"]


@pytest.mark.parametrize("start", ["out", "./out/", "deep/er/out", "here/../out"])
def test_a_folder_may_be_named_from_where_one_is(
    start: str, tmp_path: Path, result: Result, monkeypatch: pytest.MonkeyPatch, save: Save
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("here").mkdir()
    write_bundle(start, result, save)
    assert check_bundle(start).card.trial.id == result.trial.id


def test_a_link_to_a_folder_leads_to_the_bundle(tmp_path: Path, result: Result, save: Save) -> None:
    for name in ("empty", "not-there-yet"):
        (tmp_path / f"to-{name}").symlink_to(tmp_path / name)
    (tmp_path / "empty").mkdir()
    for name in ("empty", "not-there-yet"):
        write_bundle(tmp_path / f"to-{name}", result, save)
        assert check_bundle(tmp_path / name).card == check_bundle(tmp_path / f"to-{name}").card
        assert (tmp_path / f"to-{name}").is_symlink()


def test_the_longest_name_that_a_folder_may_have_will_do(tmp_path: Path, result: Result, save: Save) -> None:
    assert check_bundle(write_bundle(tmp_path / ("n" * 255), result, save).folder)


def test_a_place_that_is_taken_is_refused_before_anything_is_saved(
    bundle: Path, network: bytes, tmp_path: Path, result: Result, refusal: Refusal
) -> None:
    (tmp_path / "file").write_text("mine", "utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("mine", "utf-8")
    before = names(tmp_path)

    def never(path: str) -> None:
        raise AssertionError("it must not come to this")

    for place in (bundle, tmp_path / "file", tmp_path / "folder"):
        for message in (refusal(ensure_new, place), refusal(write_bundle, place, result, never)):
            assert message.startswith(f"{place}: expected a new folder, received one that is there")
    assert names(tmp_path) == before
    assert check_bundle(bundle).model_path.read_bytes() == network


@pytest.mark.parametrize("name", ["file/out", "file/deeper/out", "loop", "loop/out", "n" * 256, "n" * 5000])
def test_a_place_where_no_folder_can_be_is_refused(name: str, tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "cannot be written: " in refusal(ensure_new, tmp_path / name)
    assert names(tmp_path) == ["file", "loop"]


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
def test_a_save_that_fails_leaves_nothing(
    error: BaseException, seen: type[BaseException], words: str, tmp_path: Path, result: Result
) -> None:
    def fail(path: str) -> None:
        Path(path).write_bytes(b"half a network")
        raise error

    with pytest.raises(seen) as caught:
        write_bundle(tmp_path / "out", result, fail)
    assert words in str(caught.value)
    assert names(tmp_path) == []


def test_a_save_that_writes_nothing_leaves_nothing(tmp_path: Path, result: Result, refusal: Refusal) -> None:
    assert "cannot be written: No such file" in refusal(
        write_bundle, tmp_path / "out", result, lambda path: None
    )
    assert names(tmp_path) == []


def test_whoever_comes_second_to_a_place_leaves_the_firsts_bundle_alone(
    tmp_path: Path, result: Result, save: Save, refusal: Refusal
) -> None:
    def first(path: str) -> None:
        Path(path).write_bytes(b"first")

    def overtaken(path: str) -> None:
        save(path)
        write_bundle(tmp_path / "out", result, first)

    assert "cannot be written: " in refusal(write_bundle, tmp_path / "out", result, overtaken)
    assert check_bundle(tmp_path / "out").model_path.read_bytes() == b"first"
    assert names(tmp_path) == ["out"]


@contextmanager
def launched(program: str, folder: Path, result: Result) -> Iterator[subprocess.Popen[str]]:
    template = folder / ".template"
    template.write_bytes(pickle.dumps(result))
    command = [sys.executable, "-c", PRELUDE + program, str(folder), str(template)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_kill_while_the_network_is_written_leaves_no_bundle(
    tmp_path: Path, result: Result, save: Save
) -> None:
    with launched(SLEEP_HALF_WAY, tmp_path, result) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        writer.kill()
    left = [name for name in names(tmp_path) if name != ".template"]
    assert left
    assert all(name.startswith(".") for name in left), "a draft that is left is hidden"
    assert check_bundle(write_bundle(tmp_path / "network", result, save).folder)


def test_who_looks_while_bundles_are_written_sees_whole_ones_only(tmp_path: Path, result: Result) -> None:
    seen: set[str] = set()
    with launched(WRITE_UNTIL_KILLED, tmp_path, result) as writer:
        while len(seen) < 100 and writer.poll() is None:
            new = {name for name in names(tmp_path) if not name.startswith(".")} - seen
            assert all(names(tmp_path / name) == [CARD, MODEL] for name in new)
            seen |= new
        writer.kill()
    assert len(seen) >= 100


def test_a_kill_at_any_moment_leaves_whole_bundles_only(tmp_path: Path, result: Result) -> None:
    random = np.random.default_rng(5)
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        with launched(WRITE_UNTIL_KILLED, folder, result) as writer:
            assert writer.stdout is not None
            told = [writer.stdout.readline().strip() for _ in range(3)]
            time.sleep(random.uniform(0, 0.01))
            writer.kill()
            told += writer.stdout.read().split()
        there = {name for name in names(folder) if not name.startswith(".")}
        assert {f"network-{number}" for number in told} <= there
        assert len(there) <= len(told) + 1
        for name in there:
            assert check_bundle(folder / name).model_path.stat().st_size == 100_000
