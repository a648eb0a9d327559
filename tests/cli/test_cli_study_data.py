"""`digitlab study` on several data sets and with several files of one name: none is shown as another's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from digitlab.cli.main import run
from digitlab.data import CATALOG, load, read_idx, write_idx
from digitlab.data.naming import SHORT
from digitlab.results import Store
from digitlab.serving.study_catalog import StudyCatalog
from digitlab.spec import Axis, DataSpec, Plan
from digitlab.spec.library import resolve_study
from digitlab.studies import plan_study
from digitlab.studies.executors.base import nothing
from digitlab.studies.observers import Observer
from digitlab.studies.runner import run_plans
from small_study import pretend, small_study, write_digits

NOBODY = 65534


class Pretend:
    """Trains nothing and gives results all the same; fulfils `Executor`."""

    def run(self, task: Any, items: Any, on_event: Any, on_wait: Any = nothing) -> None:
        from digitlab.studies import InlineExecutor

        InlineExecutor().run(pretend, items, on_event, on_wait)


class Notes(Observer):
    """Writes down what is remarked."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def remark(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: `mine.toml` on `digits`, and `fashion`, `other/fashion`, an empty `elsewhere`."""
    for number, name in enumerate(("digits", "fashion", "other/fashion")):
        place = tmp_path / name
        place.mkdir(parents=True)
        write_digits(place)
        labels = place / "t10k-labels-idx1-ubyte"
        write_idx(labels, (read_idx(labels) + number) % 10)
    (tmp_path / "elsewhere").mkdir()
    write_study(tmp_path / "mine.toml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_study(path: Path, **changes: Any) -> None:
    data = DataSpec(dataset="digits", validation=100)
    path.write_text(small_study(path.parent, **({"name": "mine", "data": data} | changes)).to_toml())


def ran(study: str, **options: Any) -> tuple[Plan, list[str]]:
    """Run a study as the command does, but for the training; give its plan and what was remarked."""
    plan, notes = plan_study(study, **options), Notes()
    with Store("digitlab-results/store.sqlite") as store:
        run_plans([plan], store, Pretend(), notes)
    return plan, notes.lines


def shown(capsys: Any, *arguments: str) -> tuple[list[dict[str, Any]], str]:
    """The rows that `study show` prints, and what it says."""
    assert run(["study", "show", *arguments, "--json"]) == 0
    out, err = capsys.readouterr()
    return [json.loads(line) for line in out.splitlines()], err


def seeds(rows: list[dict[str, Any]]) -> list[int]:
    return [len(row["seeds"]) for row in rows]


def test_a_study_that_was_run_on_other_data_is_not_shown_as_run_on_its_own(folder: Path, capsys) -> None:
    other, _ = ran("mine.toml", data="fashion")
    rows, err = shown(capsys, "mine.toml")
    assert [(row["data"], len(row["seeds"])) for row in rows] == [("digits", 0)] * 2
    short = other.fingerprint[:SHORT]
    assert f"but on fashion (SHA-256 {short}), which --data {folder / 'fashion'} shows" in err
    assert len(err.splitlines()) == 1
    rows, err = shown(capsys, "mine.toml", "--data", "fashion")
    assert [(row["data"], row["fingerprint"]) for row in rows] == [("fashion", other.fingerprint)] * 2
    assert (seeds(rows), err) == ([2, 2], "")


@pytest.mark.slow  # draws three reports
def test_each_data_set_keeps_its_own_table_and_its_own_report(folder: Path, capsys) -> None:
    for data in (None, "fashion", "other/fashion"):
        ran("mine.toml", data=data)
    reports = []
    for options in ([], ["--data", "fashion"], ["--data", "other/fashion"]):
        rows, err = shown(capsys, "mine.toml", *options)
        assert (seeds(rows), err) == ([2, 2], "")
        assert run(["study", "report", "mine.toml", *options]) == 0
        reports.append(Path(capsys.readouterr().out.strip()))
    prints = {name: load(name).fingerprint[:SHORT] for name in ("fashion", "other/fashion")}
    assert [path.name for path in reports] == [
        "mine.html",
        *(f"mine-on-fashion-{prints[name]}.html" for name in ("fashion", "other/fashion")),
    ]
    for path, words in zip(reports, ("digits", "fashion", "fashion"), strict=True):
        assert f"study mine on {words} (SHA-256 " in path.read_text("utf-8")


def test_a_study_of_the_library_on_other_data_leaves_the_collection_as_it_is(folder: Path, capsys) -> None:
    ran("mlp-neurons", data="fashion", seeds=1)
    assert run(["study", "show", "classroom"]) == 0
    out, err = capsys.readouterr()
    assert out.count(" on MNIST, handwritten digits: ") == 8
    assert "fashion" not in out
    assert "study mlp-neurons: was not run on MNIST, handwritten digits, but on fashion" in err


def test_two_files_of_one_name_never_show_each_others_tables(folder: Path, capsys) -> None:
    axes = (Axis(path="model.hidden.0", values=(16, 4, 8)),)
    write_study(folder / "other.toml", axes=axes, question="Is narrower worse?")
    ran("mine.toml")
    _, notes = ran("other.toml")
    (line,) = notes
    assert "replaces the last run of that name (other question, axes)" in line
    rows, err = shown(capsys, "mine.toml")
    assert [row["levels"] for row in rows] == [[8], [16]]
    assert seeds(rows) == [2, 2]
    assert "study mine: differs from the last run of that name on digits (other question, axes)" in err
    rows, err = shown(capsys, "other.toml")
    assert [row["levels"] for row in rows] == [[16], [4], [8]]
    assert err == ""
    assert [row["levels"] for row in shown(capsys, "mine")[0]] == [[16], [4], [8]]


def test_a_name_on_data_means_what_was_last_run_by_it_on_that_data(folder: Path, capsys) -> None:
    """The line that says what `--data` shows names data on which something else may have been asked."""
    write_study(folder / "two.toml", question="Other?", axes=(Axis(path="model.hidden.0", values=(4,)),))
    mine, _ = ran("mine.toml", data="fashion")
    ran("two.toml", data="other/fashion")
    for data in ("fashion", mine.fingerprint[:SHORT]):
        rows, err = shown(capsys, "mine", "--data", data)
        assert ([row["levels"] for row in rows], seeds(rows), err) == ([[8], [16]], [2, 2], "")
    rows, err = shown(capsys, "mine", "--data", "fashion", "--seeds", "1")
    assert (seeds(rows), err) == ([1, 1], "")


@pytest.mark.slow  # draws three reports
def test_a_report_that_takes_the_place_of_one_that_asked_otherwise_says_so(folder: Path, capsys) -> None:
    write_study(folder / "other.toml", question="Is narrower worse?")
    said = []
    for name in ("mine.toml", "mine.toml", "other.toml"):
        ran(name)
        assert run(["study", "report", name]) == 0
        said.append(capsys.readouterr().err)
    assert said[:2] == ["", ""]
    assert "replaces the report of study mine on digits, which asked otherwise" in said[2]
    shelf = StudyCatalog(Path("digitlab-results/store.sqlite"))
    assert shelf.report("mine") is not None
    ran("mine.toml")
    assert StudyCatalog(Path("digitlab-results/store.sqlite")).report("mine") is None, "it is other.toml's"


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"overrides": {"training.epochs": 1}}, "overrides"),
        ({"recipe": "best-mlp"}, "recipe"),
        ({"question": "Why?"}, "question"),
        ({"data": DataSpec(dataset="digits", validation=99)}, "validation"),
        ({"data": DataSpec(dataset="digits", validation=100, split_seed=1)}, "split_seed"),
        ({"axes": (Axis(path="model.hidden.0", values=(8, 16), reference=16),)}, "axes"),
    ],
)
def test_a_file_that_was_changed_is_shown_as_it_is_written(
    folder: Path, capsys, changes: dict[str, Any], part: str
) -> None:
    ran("mine.toml")
    write_study(folder / "mine.toml", **changes)
    _, err = shown(capsys, "mine.toml")
    assert f"(other {part})" in err
    _, notes = ran("mine.toml")
    assert f"(other {part})" in notes[0]
    assert shown(capsys, "mine.toml")[1] == ""


def test_other_words_are_no_other_study(folder: Path, capsys) -> None:
    ran("mine.toml", seeds=5)
    write_study(folder / "mine.toml", description="Said better.")
    rows, err = shown(capsys, "mine.toml")
    assert (seeds(rows), err) == ([5, 5], "")


def test_a_copied_file_does_not_hide_the_librarys_study(folder: Path, capsys) -> None:
    axes = (Axis(path="model.hidden.0", values=(8, 16)),)
    copy = resolve_study("mlp-neurons").model_copy(update={"axes": axes, "seeds": 1})
    (folder / "mlp-neurons.toml").write_text(copy.to_toml())
    ran("mlp-neurons.toml", data="fashion")
    rows, err = shown(capsys, "mlp-neurons", "--data", "fashion")
    assert [row["levels"][0] for row in rows] == [8, 16, 32, 64, 128, 256, 512, 1024]
    assert seeds(rows)[:3] == [1, 1, 0], "what the store has of the library's trials is shown"
    assert "differs from the last run of that name on fashion (other axes)" in err
    assert seeds(shown(capsys, "mlp-neurons.toml", "--data", "fashion")[0]) == [1, 1]


def test_more_seeds_are_no_replacement_and_fewer_are_said(folder: Path, capsys) -> None:
    assert ran("mine.toml")[1] == []
    assert ran("mine.toml", seeds=5)[1] == []
    assert seeds(shown(capsys, "mine.toml")[0]) == [5, 5]
    assert seeds(shown(capsys, "mine")[0]) == [5, 5]
    assert "(other seeds, 0 to 4 before)" in ran("mine.toml")[1][0]
    assert seeds(shown(capsys, "mine")[0]) == [2, 2]


def test_a_study_of_ones_own_is_shown_by_its_name_with_as_many_seeds_as_asked(folder: Path, capsys) -> None:
    ran("mine.toml", seeds=3)
    for asked in (1, 3):
        assert seeds(shown(capsys, "mine", "--seeds", str(asked))[0]) == [asked, asked]
    rows, _ = shown(capsys, "mine", "--seeds", "4")
    assert [(len(row["seeds"]), row["missing"]) for row in rows] == [(3, 1)] * 2
    rows, err = shown(capsys, "mine", "--data", "fashion")
    assert seeds(rows) == [0, 0]
    assert "was not run on fashion" in err
    assert run(["study", "show", "mine", "--seeds", "0"]) == 2
    assert run(["study", "show", "nobodys"]) == 2


@pytest.mark.slow  # draws a report
def test_data_means_relative_to_the_studys_file_and_is_found_from_everywhere(
    folder: Path, capsys, monkeypatch
) -> None:
    monkeypatch.chdir(folder / "elsewhere")
    plan, _ = ran("../mine.toml")
    assert plan.study.data.dataset == str(folder / "digits")
    monkeypatch.chdir("/")
    store = ["--store", str(folder / "elsewhere" / "digitlab-results" / "store.sqlite")]
    for name in ("mine", str(folder / "mine.toml")):
        assert seeds(shown(capsys, name, *store)[0]) == [2, 2]
    assert run(["study", "report", "mine", *store]) == 0
    page = Path(capsys.readouterr().out.strip()).read_text("utf-8")
    assert "is not available" not in page, "the report shows digits of the data"
    assert str(folder) not in page


def test_a_studys_own_data_is_its_own_however_it_is_spelled(folder: Path, capsys) -> None:
    (folder / "link").symlink_to(folder / "digits", target_is_directory=True)
    own, _ = ran("mine.toml")
    for data in ("digits", "./elsewhere/../digits", str(folder / "digits"), "link"):
        assert plan_study("mine.toml", data=data) == own
        assert seeds(shown(capsys, "mine.toml", "--data", data)[0]) == [2, 2]
    mnist = plan_study("mlp-neurons")
    assert plan_study("mlp-neurons", data="mnist") == mnist
    assert plan_study("mlp-neurons", data=str(CATALOG["mnist"].folder)) == mnist


def test_data_in_a_folder_whose_name_is_not_utf_8_is_refused_in_a_line_and_nothing_is_kept_of_it(
    folder: Path, capsys
) -> None:
    name = os.fsdecode(b"caf\xe9")
    try:
        shutil.copytree(folder / "fashion", folder / name)
    except OSError:
        pytest.skip("this file system takes no such name")
    ran("mine.toml", data="fashion")  # the copy's trials are done, too
    for command in (["run", "mine.toml", "--no-report"], ["show", "mine.toml"], ["show", "mine"]):
        assert run(["study", *command, "--data", name]) == 2
        out, err = capsys.readouterr()
        assert (out, len(err.splitlines())) == ("", 1)
        assert "expected a name in UTF-8, received one in another encoding; rename the folder" in err
    assert seeds(shown(capsys, "mine", "--data", "fashion")[0]) == [2, 2]


def test_missing_data_of_a_file_is_told_with_the_folder_that_it_is_looked_for_from(
    folder: Path, capsys
) -> None:
    write_study(folder / "elsewhere" / "mine.toml")
    assert run(["study", "run", "elsewhere/mine.toml"]) == 2, "the current folder's digits are not meant"
    assert "no data set 'digits': expected a name (mnist) or a folder" in capsys.readouterr().err


def test_data_that_has_changed_is_not_shown_with_what_was_trained_before(folder: Path, capsys) -> None:
    before, _ = ran("mine.toml")
    images = folder / "digits" / "train-images-idx3-ubyte"
    write_idx(images, read_idx(images)[::-1])
    rows, err = shown(capsys, "mine.toml")
    assert seeds(rows) == [0, 0]
    short = before.fingerprint[:SHORT]
    assert f"but on digits (SHA-256 {short}), which --data {short} shows" in err
    rows, err = shown(capsys, "mine.toml", "--data", short)
    assert (seeds(rows), rows[0]["fingerprint"], err) == ([2, 2], before.fingerprint, "")
    shutil.rmtree(folder / "digits")
    rows, err = shown(capsys, "mine.toml")
    assert seeds(rows) == [2, 2]
    assert "no data set" in err


def test_what_another_machine_trained_is_shown_in_its_precision(folder: Path, capsys) -> None:
    here = plan_study("mine.toml").precision
    there = {"float32": "mixed_bfloat16", "mixed_bfloat16": "float32"}[here]
    other = plan_study("mine.toml").with_precision(there)
    with Store("digitlab-results/store.sqlite") as store:
        run_plans([other], store, Pretend(), Observer())
        rows, err = shown(capsys, "mine.toml")
        assert (seeds(rows), err) == ([2, 2], "")
    write_study(folder / "mine.toml", question="Asked otherwise?")
    rows, err = shown(capsys, "mine.toml")
    assert seeds(rows) == [2, 2]
    assert f"shown in {there}, as trained on another machine" in err
    _, notes = ran("mine.toml")
    assert f"(other question, precision, {there} before)" in notes[0]


def test_an_export_of_nothing_says_so(folder: Path, capsys) -> None:
    ran("mine.toml", data="fashion")
    capsys.readouterr()
    assert run(["study", "export", "mine.toml"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("study,model.hidden.0,seed,")
    assert len(out.splitlines()) == 1
    assert "study mine on digits (SHA-256 " in err
    assert "no trial is done yet, no record is written" in err
    assert run(["study", "report", "mine.toml"]) == 0
    assert capsys.readouterr().err.endswith(": no trial is done yet\n")
    assert run(["study", "export", "mine.toml", "--data", "fashion", "--json"]) == 0
    out, err = capsys.readouterr()
    assert ({json.loads(line)["data"] for line in out.splitlines()}, err) == ({"fashion"}, "")


@pytest.mark.slow  # processes of their own
@pytest.mark.parametrize("missing", ["jinja2", "matplotlib"])
def test_without_what_reports_need_a_run_says_so_before_it_trains(folder: Path, missing: str) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None; from digitlab.cli.main import run; "
        "sys.exit(run(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "study", "run", "mine.toml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{missing} is not installed" in done.stderr
    assert "or skip the report with --no-report" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not Path("digitlab-results").exists()


@pytest.mark.slow  # a process of its own
def test_an_impossible_level_is_refused_without_assertions_too(folder: Path) -> None:
    write_study(folder / "mine.toml", axes=(Axis(path="model.hidden.0", values=(0, 8)),))
    command = [sys.executable, "-O", "-m", "digitlab", "study", "run", "mine.toml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "study mine: model.hidden.0: expected a whole number from 1 to 16384, received 0" in done.stderr
    assert not Path("digitlab-results").exists()


@pytest.fixture
def readable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the current folder that everybody may read; only root may enter tmp_path."""
    place = Path(tempfile.mkdtemp(prefix="digitlab-test-"))
    place.chmod(0o755)
    shutil.copytree(folder, place, dirs_exist_ok=True, copy_function=shutil.copyfile)
    place.chmod(0o755)
    monkeypatch.chdir(place)
    yield place
    shutil.rmtree(place)


@contextmanager
def sealed(folder: Path) -> Iterator[None]:
    """A folder that may not be written, by a user who is bound by that."""
    folder.chmod(0o555)
    user = os.geteuid()
    if not user:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if not user:
            os.seteuid(user)
        folder.chmod(0o755)


@pytest.mark.slow  # runs doctor and many commands
@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions of this kind are POSIX's")
def test_a_results_folder_that_may_not_be_written_is_read_and_what_is_not_kept_is_said(
    readable: Path, capsys
) -> None:
    ran("mine.toml")
    run_again = ["study", "run", "mine.toml", "--no-report"]
    readers = [
        ["study", "show", "mine"],
        ["study", "export", "mine"],
        ["doctor"],
        run_again,
        [*run_again, "--seeds", "1"],
    ]
    for command in readers[:-1]:
        assert run(command) == 0  # and imports what it needs, which nobody else may read
    store = readable / "digitlab-results" / "store.sqlite"
    assert StudyCatalog(store).detail("mine")["state"] == "finished"
    capsys.readouterr()
    with sealed(readable / "digitlab-results"):
        said = []
        for command in readers:
            assert run(command) == 0, command
            said.append(capsys.readouterr())
        assert run(["study", "run", "mine.toml", "--seeds", "3"]) == 2
        assert StudyCatalog(store).detail("mine")["state"] == "finished"
    assert "2" in said[0].out
    assert "it is read-only" in said[2].out
    assert "4 done already, 0 to train\n" in said[3].err
    assert "plan of study mine not saved: store digitlab-results" in said[4].err
