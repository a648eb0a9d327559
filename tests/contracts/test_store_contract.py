"""What every result store keeps to, whatever happens to the processes that use it."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from digitlab.errors import StoreError
from digitlab.results.record import Result
from digitlab.results.store import Store
from digitlab.spec import DataSpec, Plan, Trial, make_plan
from digitlab.spec.library import resolve_recipe, resolve_study
from digitlab.spec.study import with_settings
from small_study import of_epochs

PRELUDE = """
import pickle, sys
from pathlib import Path
from {module} import {name} as Store
from digitlab.errors import StoreError

path, first = sys.argv[1], int(sys.argv[3])
template = pickle.loads(Path(sys.argv[2]).read_bytes())

def numbered(seed):
    return template.model_copy(update={{"trial": template.trial.model_copy(update={{"seed": seed}})}})

def say(*words):
    print(*words, flush=True)
"""
WRITE_UNTIL_KILLED = """
with Store(path) as store, store.exclusive():
    for seed in range(first, first + 100_000):
        result = numbered(seed)
        store.start(result.trial)
        store.finish(result)
        say(result.trial.id)
"""
HOLD_UNTIL_KILLED = """
with Store(path) as store, store.exclusive():
    store.start(numbered(first).trial)
    say("held")
    sys.stdin.read()
"""
OPEN_ON_SIGNAL = """
say("ready")
sys.stdin.readline()
for number in range(20):
    with Store(f"{path}-{number}") as store:
        store.fail(numbered(first).trial, "it was only a test")
say("opened")
"""
FILL_THE_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
largest = max(file.stat().st_size for file in Path(path).parent.iterdir())
with Store(path) as store, store.exclusive():
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 20_000, resource.RLIM_INFINITY))
    for seed in range(first, first + 100):
        try:
            store.finish(numbered(seed))
            say("kept", seed)
        except StoreError as error:
            say("refused", seed, str(error).count(chr(10)), error)
            break
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    store.finish(numbered(first + 100))
    say("kept", first + 100)
"""
Launch = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def result(make_result: Any) -> Result:
    recipe = with_settings(resolve_recipe("mlp"), {"training.epochs": 2}, "test")
    data = DataSpec(fingerprint="0" * 64)
    return make_result(Trial(recipe="mlp", model=recipe.model, training=recipe.training, data=data))


@pytest.fixture
def launch(store_class: type[Store], path: Path, result: Result, tmp_path: Path) -> Iterator[Launch]:
    """Start a process on the store; whatever still runs at the end is killed."""
    template = tmp_path / "template.pickle"
    template.write_bytes(pickle.dumps(result))
    prelude = PRELUDE.format(module=store_class.__module__, name=store_class.__name__)
    with ExitStack() as processes:

        def start(body: str, first: int = 0) -> subprocess.Popen[str]:
            command = [sys.executable, "-c", prelude + body, str(path), str(template), str(first)]
            pipe = subprocess.PIPE
            return processes.enter_context(
                killed(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True))
            )

        yield start


@contextmanager
def killed(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    with process:
        try:
            yield process
        finally:
            process.kill()


def output(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout


def numbered(result: Result, seed: int) -> Result:
    return result.model_copy(update={"trial": result.trial.model_copy(update={"seed": seed})})


def assert_kept(store: Store, result: Result) -> None:
    """The result of that trial is there, whole, with its predictions."""
    trial = result.trial
    assert store.statuses([trial.id])[trial.id] == ("done", "")
    assert store.results([trial])[trial.id].to_json() == result.to_json()
    for epoch, classes in result.predictions.items():
        short = of_epochs(trial, epoch)
        assert np.array_equal(store.predictions([short])[short.id], classes)


def test_a_result_is_read_back_whole_with_its_predictions(store: Store, result: Result) -> None:
    store.start(result.trial)
    store.finish(result)
    assert_kept(store, result)
    assert store.predictions([result.trial])[result.trial.id].dtype == np.uint8
    assert store.check() == "ok"


def test_what_was_finished_is_there_for_the_next_who_opens_the_store(
    store_class: type[Store], path: Path, result: Result
) -> None:
    with store_class(path) as first:
        first.finish(result)
    with store_class(path, create=False) as second:
        assert_kept(second, result)


def test_a_store_that_is_not_there_is_made_only_if_asked(store_class: type[Store], path: Path) -> None:
    with pytest.raises(StoreError, match="there is none yet; run a study first"):
        store_class(path, create=False)
    assert not path.parent.exists()
    with store_class(path) as store:
        assert store.counts() == {}


def test_a_trial_goes_from_running_to_failed_to_running_to_done(store: Store, result: Result) -> None:
    trial = result.trial
    assert store.statuses([trial.id]) == {}
    with store.exclusive():
        store.start(trial)
        assert store.statuses([trial.id]) == {trial.id: ("running", "")}
        store.fail(trial, "the loss became nan in epoch 2")
        assert store.statuses([trial.id]) == {trial.id: ("failed", "the loss became nan in epoch 2")}
        assert store.results([trial]) == {}
        store.start(trial)
        assert store.statuses([trial.id]) == {trial.id: ("running", "")}
        store.finish(result)
    assert_kept(store, result)
    assert store.counts() == {"done": 1}


def test_a_trial_done_keeps_its_result_while_it_is_trained_again(store: Store, result: Result) -> None:
    store.finish(result)
    with store.exclusive():
        store.start(result.trial)
        assert_kept(store, result)
    assert_kept(store, result)


def test_a_trial_done_keeps_its_result_if_it_fails_when_trained_again(store: Store, result: Result) -> None:
    store.finish(result)
    store.start(result.trial)
    store.fail(result.trial, "out of memory")
    assert_kept(store, result)


def test_a_new_result_takes_the_place_of_the_old_with_all_its_predictions(
    store: Store, result: Result
) -> None:
    store.finish(result)
    update = {"build_seconds": 99.0, "predictions": {2: 9 - result.predictions[2]}}
    newer = result.model_copy(update=update)
    store.finish(newer)
    assert_kept(store, newer)
    shorter = of_epochs(result.trial, 1)
    with pytest.raises(StoreError, match=f"no predictions of trial {shorter.id} after epoch 1"):
        store.predictions([shorter])
    assert store.counts() == {"done": 1}


def test_a_result_that_cannot_be_written_whole_is_not_written_at_all(store: Store, result: Result) -> None:
    store.finish(result)
    broken: Any = {1: result.predictions[1], 2: "no array"}
    for changes in ({}, {"trial": numbered(result, 1).trial}):
        with pytest.raises(AttributeError):
            store.finish(result.model_copy(update=changes | {"predictions": broken}))
    assert_kept(store, result)
    assert store.counts() == {"done": 1}
    store.finish(numbered(result, 1))
    assert_kept(store, numbered(result, 1))


def test_any_number_of_trials_is_asked_for_at_once(store: Store, result: Result) -> None:
    known = [numbered(result, seed) for seed in range(3)]
    for each in known:
        store.finish(each)
    asked = [f"{number:016x}" for number in range(260_000)]  # SQLite takes 250,000 at most in one question
    for place, each in zip((0, 130_000, 259_999), known, strict=True):
        asked[place] = each.trial.id
    assert set(store.statuses(iter(asked + asked[:10]))) == {each.trial.id for each in known}
    trials = [numbered(result, seed).trial for seed in range(2_000, 0, -1)]
    assert set(store.results(iter(trials + trials[-10:]))) == {each.trial.id for each in known[1:]}
    assert store.results([]) == store.statuses([]) == store.find_runs([]) == {}


def test_predictions_that_were_never_kept_are_refused(store: Store, result: Result) -> None:
    store.finish(result)
    for trial in (of_epochs(result.trial, 3), numbered(result, 1).trial):
        epochs = trial.training.epochs
        with pytest.raises(StoreError, match=f"no predictions of trial {trial.id} after epoch {epochs}"):
            store.predictions([trial])


def test_the_plan_of_a_study_is_kept_by_its_name_and_its_data_as_it_was_last_run(store: Store) -> None:
    study = resolve_study("mlp-neurons")
    plan, other = (make_plan(study, resolve_recipe("mlp"), digit * 64, "float32") for digit in "01")
    assert store.plan("mlp-neurons", "0" * 64) is None
    for each in (plan, other, plan.with_seeds(9)):
        store.save_plan(each)
        kept = store.plan("mlp-neurons", each.fingerprint)
        assert isinstance(kept, Plan)
        assert [trial.id for trial in kept.trials] == [trial.id for trial in each.trials]
    assert store.plan("mlp-neurons", "0" * 64) == plan.with_seeds(9)
    assert store.plan("mlp-neurons", "1" * 64) == other
    assert store.plan("mlp-neurons", "2" * 64) is None
    assert store.plan("another", "0" * 64) is None
    assert sorted(each.fingerprint for each in store.plans("mlp-neurons")) == ["0" * 64, "1" * 64]
    assert {kept[:2] for kept in store.studies()} == {("mlp-neurons", digit * 64) for digit in "01"}


def start_and_stop(store: Store, trial: Trial) -> None:
    store.start(trial)
    raise KeyboardInterrupt


def test_a_stopped_runner_leaves_its_trial_interrupted(store: Store, result: Result) -> None:
    with pytest.raises(KeyboardInterrupt), store.exclusive():
        start_and_stop(store, result.trial)
    assert store.statuses([result.trial.id])[result.trial.id].state == "interrupted"
    with store.exclusive():
        store.finish(result)
    assert_kept(store, result)


def test_a_second_runner_is_refused_in_this_process_too(store_class: type[Store], path: Path) -> None:
    with store_class(path) as first, store_class(path) as second:
        for _ in range(2):
            with first.exclusive(), pytest.raises(StoreError, match="another digitlab"), second.exclusive():
                pass
        with second.exclusive():
            pass


def test_a_second_runner_is_refused_while_readers_go_on(store: Store, launch: Launch, result: Result) -> None:
    store.finish(result)
    holder = launch(HOLD_UNTIL_KILLED, first=1)
    assert output(holder).readline() == "held\n"
    running = numbered(result, 1).trial.id
    with pytest.raises(StoreError) as refused, store.exclusive():
        pass
    assert "another digitlab is running a study on it; wait until it has ended" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert_kept(store, result)
    assert store.statuses([running])[running].state == "running"  # the refused one has not touched it


def test_a_killed_runner_gives_up_its_lock_and_its_trial_is_marked_interrupted(
    store: Store, launch: Launch, result: Result
) -> None:
    holder = launch(HOLD_UNTIL_KILLED)
    assert output(holder).readline() == "held\n"
    holder.kill()
    holder.wait()
    trial = result.trial.id
    assert store.statuses([trial])[trial].state == "running"  # nobody had time to say otherwise
    with store.exclusive():
        assert store.statuses([trial])[trial] == ("interrupted", "the study was stopped while it ran")


def test_a_kill_at_any_moment_loses_nothing_that_was_finished(
    store_class: type[Store], path: Path, launch: Launch, result: Result
) -> None:
    random = np.random.default_rng(9)
    told: list[int] = []
    for first in range(0, 50_000, 10_000):
        writer = launch(WRITE_UNTIL_KILLED, first)
        ids = [output(writer).readline().strip() for _ in range(random.integers(1, 10))]
        with store_class(path, create=False) as reader:
            trials = [numbered(result, first + place).trial for place in range(len(ids))]
            assert set(reader.results(trials)) == set(ids)  # one reads while the other writes
        time.sleep(random.uniform(0, 0.01))
        writer.kill()
        ids += output(writer).read().split()
        told += range(first, first + len(ids))
        assert ids == [numbered(result, seed).trial.id for seed in told[-len(ids) :]]
        with store_class(path) as store:
            assert store.check() == "ok"
            for seed in told:
                assert_kept(store, numbered(result, seed))
            # The kill may have come after `finish` and before the id was told, but once a kill only.
            assert len(told) <= store.counts()["done"] <= len(told) + 1 + first // 10_000


def test_many_may_open_a_new_store_at_the_same_moment(
    store_class: type[Store], path: Path, launch: Launch
) -> None:
    processes = [launch(OPEN_ON_SIGNAL, first) for first in range(4)]
    assert [output(each).readline() for each in processes] == ["ready\n"] * 4
    for each in processes:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    assert [output(each).readline() for each in processes] == ["opened\n"] * 4
    for number in range(20):
        with store_class(f"{path}-{number}", create=False) as store:
            assert store.counts() == {"failed": 4}


@pytest.mark.skipif(sys.platform == "win32", reason="a limit on the size of files is POSIX's")
def test_a_full_disk_is_one_line_and_costs_only_what_did_not_fit(
    store_class: type[Store], path: Path, launch: Launch, result: Result
) -> None:
    with store_class(path) as before:
        for seed in range(3):
            before.finish(numbered(result, seed))
    writer = launch(FILL_THE_DISK, first=10)
    words = [line.split(maxsplit=3) for line in output(writer)]
    assert writer.wait() == 0
    refused = [line for line in words if line[0] == "refused"]
    assert len(refused) == 1
    assert refused[0][2] == "0", "more than one line"
    assert f"store {path}: " in refused[0][3]
    assert "check that the folder can be written, that the disk has room" in refused[0][3]
    kept = [int(line[1]) for line in words if line[0] == "kept"]
    assert kept[-1] == 110, "the same store did not go on once there was room"
    with store_class(path) as after:
        assert after.check() == "ok"
        for seed in (0, 1, 2, *kept):
            assert_kept(after, numbered(result, seed))
        assert after.counts() == {"done": 3 + len(kept)}
