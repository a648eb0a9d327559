"""Files that are no store, places that cannot be written, and stores that were damaged."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlab.errors import StoreError
from digitlab.results.record import Result
from digitlab.results.store import Store
from digitlab.spec import DataSpec, Trial, make_plan
from digitlab.spec.library import resolve_recipe, resolve_study
from small_study import of_epochs

NOBODY = 65534


@pytest.fixture(scope="module")
def result(make_result: Any) -> Result:
    recipe = resolve_recipe("mlp")
    data = DataSpec(fingerprint="0" * 64)
    return make_result(Trial(recipe="mlp", model=recipe.model, training=recipe.training, data=data))


def refusal(path: Path | str, *, create: bool = True) -> str:
    with pytest.raises(StoreError) as caught, Store(path, create=create):
        pass
    message = str(caught.value)
    assert message.startswith(f"store {path}: ")
    assert "\n" not in message
    return message


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def run(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for statement in statements:
            database.execute(statement)


@contextmanager
def nobody() -> Iterator[None]:
    """Be bound by permissions, which do not bind root."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    "content", [b"hello", b"\x89PNG\r\n\x1a\n" * 1000, b"\0" * 4096, b"SQLite format 4\0" * 99]
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    path.write_bytes(content)
    for create in (True, False):
        assert "not a database" in refusal(path, create=create)
    assert path.read_bytes() == content
    assert names(tmp_path) == ["store.sqlite"]


@pytest.mark.parametrize("version", [0, 1, 7])
def test_a_database_of_another_program_is_refused_and_left_alone(version: int, tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    run(path, "CREATE TABLE songs (title TEXT)", f"PRAGMA user_version = {version}")
    content = path.read_bytes()
    for create in (True, False):
        assert "expected a digitlab store, received another SQLite database" in refusal(path, create=create)
    assert path.read_bytes() == content


@pytest.mark.parametrize("version", [1, 4])
def test_a_store_of_another_version_is_refused_and_left_alone(
    version: int, tmp_path: Path, result: Result
) -> None:
    path = tmp_path / "store.sqlite"
    with Store(path) as store:
        store.finish(result)
    run(path, f"PRAGMA user_version = {version}")
    content = path.read_bytes()
    assert f"expected version 3, received {version}; use the digitlab that wrote it" in refusal(path)
    assert path.read_bytes() == content
    run(path, "PRAGMA user_version = 3")
    with Store(path) as store:
        assert set(store.results([result.trial])) == {result.trial.id}


def test_a_store_that_has_no_key_figures_is_refused_and_left_alone(tmp_path: Path, result: Result) -> None:
    path = tmp_path / "store.sqlite"
    with Store(path) as store:
        store.finish(result)
    run(path, "DROP TABLE figures")
    content = path.read_bytes()
    assert "expected version 3, received 3 without key figures; use the digitlab that" in refusal(path)
    assert path.read_bytes() == content


def test_key_figures_that_are_missing_are_an_error_of_one_line(tmp_path: Path, result: Result) -> None:
    path = tmp_path / "store.sqlite"
    with Store(path) as store:
        store.finish(result)
    run(path, "DELETE FROM figures")
    with Store(path) as store, pytest.raises(StoreError) as caught:
        store.figures([result.trial])
    epochs = result.trial.training.epochs
    assert str(caught.value) == (
        f"store {path}: no key figures of trial {result.trial.id} after epoch {epochs}; train it again"
    )


@pytest.mark.parametrize("create", [True, False])
def test_a_file_that_is_still_empty_becomes_a_store(create: bool, tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    path.touch()
    with Store(path, create=create) as store:
        assert store.counts() == {}


@pytest.mark.parametrize("name", ["file/store.sqlite", "file/folder/store.sqlite", "folder", "n" * 300])
@pytest.mark.parametrize("create", [True, False])
def test_a_place_where_no_file_can_be_is_refused(name: str, create: bool, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    (tmp_path / "folder").mkdir()
    refusal(tmp_path / name, create=create)
    assert names(tmp_path) == ["file", "folder"]


def test_a_name_that_sqlite_takes_for_its_memory_is_a_file_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, result: Result
) -> None:
    monkeypatch.chdir(tmp_path)
    with Store(":memory:") as store:
        store.finish(result)
    with Store(":memory:", create=False) as store:
        assert store.counts() == {"done": 1}


@pytest.fixture
def sealed() -> Iterator[Path]:
    """A folder that everybody may read and nobody write; not in tmp_path, which only root may enter."""
    folder = Path(tempfile.mkdtemp(prefix="digitlab-test-"))
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions of this kind are POSIX's")


def assert_read_and_not_written(path: Path, result: Result, count: int = 1) -> None:
    """All that is kept is read by somebody who may not write; writing is refused in one line."""
    with Store(path, create=False) as store:
        assert store.check() == "ok"
        assert store.counts() == {"done": count}
        assert store.results([result.trial])[result.trial.id].to_json() == result.to_json()
        assert np.array_equal(
            store.predictions([result.trial])[result.trial.id],
            result.predictions[result.trial.training.epochs],
        )
        assert store.obstacle
        with pytest.raises(StoreError) as refused:
            store.finish(result)
        with pytest.raises(StoreError), store.exclusive():
            pass
    assert "check that the folder can be written" in str(refused.value)
    assert "\n" not in str(refused.value)


@posix
def test_a_folder_that_may_not_be_written_is_refused_and_a_store_in_it_is_read(
    sealed: Path, result: Result
) -> None:
    kept = sealed / "kept.sqlite"
    with Store(kept) as store:
        store.finish(result)
    kept.chmod(0o644)
    content = kept.read_bytes()
    sealed.chmod(0o555)
    with nobody():
        refusal(sealed / "new.sqlite")
        refusal(sealed / "new" / "store.sqlite")
        assert_read_and_not_written(kept, result)
    sealed.chmod(0o000)
    with nobody():
        refusal(kept)
        refusal(kept, create=False)
    sealed.chmod(0o755)
    assert kept.read_bytes() == content
    with Store(kept) as store:
        assert store.check() == "ok"
        assert store.counts() == {"done": 1}


@posix
def test_a_file_that_may_not_be_written_is_read_in_a_folder_that_may(sealed: Path, result: Result) -> None:
    kept = sealed / "kept.sqlite"
    with Store(kept) as store:
        store.finish(result)
    kept.chmod(0o444)
    sealed.chmod(0o777)
    with nobody():
        assert_read_and_not_written(kept, result)


@posix
def test_what_a_killed_runner_finished_last_is_read_where_nothing_may_be_written(
    sealed: Path, result: Result
) -> None:
    other = result.model_copy(update={"trial": result.trial.model_copy(update={"seed": 1})})
    with Store(sealed / "written.sqlite") as store:
        store.finish(result)
        reader = sqlite3.connect(sealed / "written.sqlite")  # keeps the log from being emptied
        store.finish(other)
        for ending in ("", "-wal"):
            shutil.copyfile(sealed / f"written.sqlite{ending}", sealed / f"kept.sqlite{ending}")
        reader.close()
    sealed.chmod(0o555)
    with nobody():
        assert_read_and_not_written(sealed / "kept.sqlite", result, count=2)


READ_ON_A_FULL_DISK = """
import resource, signal, sys
from digitlab.errors import StoreError
from digitlab.results.store import Store

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
with Store(sys.argv[1], create=False) as store:
    print(store.counts(), bool(store.obstacle))
    try:
        with store.exclusive():
            pass
    except StoreError as error:
        print("refused")
"""


@posix
def test_a_store_on_a_full_disk_is_read(tmp_path: Path, result: Result) -> None:
    path = tmp_path / "store.sqlite"
    with Store(path) as store:
        store.finish(result)
    done = subprocess.run(
        [sys.executable, "-c", READ_ON_A_FULL_DISK, str(path)], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["{'done': 1} True", "refused"], done.stderr


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_damaged_store_is_told_in_one_line_wherever_it_is_damaged(
    share: float, tmp_path: Path, result: Result
) -> None:
    path = tmp_path / "store.sqlite"
    with Store(path) as store:
        store.finish(result)
    content = bytearray(path.read_bytes())
    place = int(share * len(content))
    content[place : place + 4096] = b"\xa5" * 4096
    path.write_bytes(content)
    assert_told(path, result)


def test_half_a_store_is_told_in_one_line(tmp_path: Path, result: Result) -> None:
    path = tmp_path / "store.sqlite"
    with Store(path) as store:
        store.finish(result)
    os.truncate(path, path.stat().st_size // 2)
    assert_told(path, result)


def assert_told(path: Path, result: Result) -> None:
    """Every question gets its answer or a StoreError of one line, and the check is no "ok"."""
    questions = (
        Store.check,
        Store.counts,
        lambda store: store.results([result.trial]),
        lambda store: store.predictions([result.trial]),
    )
    check, *others = (told(path, question) for question in questions)
    assert check != "ok"
    assert all("\n" not in each for each in others)


def told(path: Path, question: Callable[[Store], Any]) -> str:
    try:
        with Store(path) as store:
            return str(question(store))
    except StoreError as error:
        return str(error)


def test_a_result_that_another_version_wrote_is_told_and_the_others_are_read(
    tmp_path: Path, result: Result
) -> None:
    path = tmp_path / "store.sqlite"
    other = result.model_copy(update={"trial": result.trial.model_copy(update={"seed": 1})})
    plan = make_plan(resolve_study("mlp-neurons"), resolve_recipe("mlp"), "0" * 64, "float32")
    with Store(path) as store:
        store.finish(result)
        store.finish(other)
        store.save_plan(plan)
    change = "json_set({0}, '$.colour', 'red')"
    run(
        path,
        f"UPDATE trials SET result = {change.format('result')} WHERE id = '{result.trial.id}'",
        f"UPDATE plans SET plan = {change.format('plan')}",
    )
    words = "expected what this version of digitlab writes, received {}: colour: there is no such setting"
    with Store(path) as store:
        with pytest.raises(StoreError, match=words.format("result")):
            store.results([result.trial])
        with pytest.raises(StoreError, match=words.format("plan")):
            store.plan("mlp-neurons", "0" * 64)
        assert set(store.results([other.trial])) == {other.trial.id}


class Strict(sqlite3.Connection):
    """A database that takes as few parameters in one statement as SQLite did before 3.32."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)


def test_more_trials_than_fit_into_one_statement_can_be_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, result: Result
) -> None:
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Strict))
    trials = [result.trial.model_copy(update={"seed": seed}) for seed in range(2_500)]
    known = {trials[seed].id for seed in (0, 1_200, 2_499)}
    with Store(tmp_path / "store.sqlite") as store:
        for seed in (0, 1_200, 2_499):
            store.finish(result.model_copy(update={"trial": trials[seed]}))
        assert set(store.statuses(trial.id for trial in trials)) == known
        assert set(store.results(trials)) == known
        assert set(store.find_runs(of_epochs(trial, 2) for trial in trials).values()) == known


def test_a_lock_that_is_no_lock_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    (tmp_path / "store.sqlite.lock").write_bytes(b"this is no database at all" * 99)
    with Store(path) as store, pytest.raises(StoreError, match="not a database"), store.exclusive():
        pass


def test_a_store_that_was_closed_says_so(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.counts()
