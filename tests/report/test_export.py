"""Exports, read back by the programs that they are for: csv, json, pyarrow, and TensorBoard's own readers."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from digitlab.errors import MissingExtraError, StoreError, UserError
from digitlab.report.export import AT_A_TIME, COLUMNS, write_export, write_lines
from digitlab.results import Result, Store
from digitlab.results.aggregate import trial_records
from digitlab.spec import Axis, Plan, Study, Trial, make_plan, resolve_recipe
from small_study import pretend

KINDS = ("csv", "json", "parquet", "tensorboard")
SCALARS = {
    "training/loss",
    "training/accuracy",
    "training/mse",
    "validation/log_loss",
    "validation/accuracy",
    "validation/mse",
    "validation/error_percent",
    "test/accuracy",
    "test/error_percent",
}


def plan_of(name: str, *axes: Axis, seeds: int = 2, epochs: int = 3) -> Plan:
    study = Study(
        name=name,
        question="Which?",
        recipe="mlp",
        overrides={"training.epochs": epochs},
        axes=axes,
        seeds=seeds,
    )
    named = {str(level) for axis in axes if axis.path == "recipe" for level in axis.values}
    recipe = resolve_recipe("mlp")
    return make_plan(study, recipe, "a" * 64, "float32", dict.fromkeys(named, recipe))


WIDTHS = plan_of("widths", Axis(path="model.hidden.0", values=(8, 16), label="neurons"))
RATES = plan_of(
    "rates",
    Axis(path="training.loss", values=("crossentropy", "mse")),
    Axis(path="training.learning_rate", values=(0.01, 1)),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store in which all of both studies is done but the last trial of `widths`."""
    with Store(tmp_path_factory.mktemp("store") / "store.sqlite") as store:
        for trial in (*WIDTHS.trials[:-1], *RATES.trials):
            store.finish(pretend(trial, lambda _: None))
        yield store


def nothing(_trials: Iterable[Trial]) -> Mapping[str, Result]:
    return {}


def lines(kind: Any, plans: list[Plan], store: Store) -> str:
    file = io.StringIO()
    write_lines(kind, plans, store.results, file)
    return file.getvalue()


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_columns_are_those_of_a_record_and_of_their_types(store: Store) -> None:
    for record in trial_records(WIDTHS, store.results(WIDTHS.trials)):
        assert {name: type(value) for name, value in record.items()} == {"model.hidden.0": int, **COLUMNS}


def test_csv_has_one_header_for_all_studies_and_nothing_where_a_study_has_no_such_axis(store: Store) -> None:
    reader = csv.DictReader(io.StringIO(lines("csv", [WIDTHS, RATES], store)))
    rows = list(reader)
    axes = ["model.hidden.0", "training.loss", "training.learning_rate"]
    assert list(reader.fieldnames or ()) == ["study", *axes, *COLUMNS]
    assert [tuple(row[name] for name in ("study", *axes, "seed")) for row in rows[1:5]] == [
        ("widths", "8", "", "", "1"),
        ("widths", "16", "", "", "0"),
        ("rates", "", "crossentropy", "0.01", "0"),
        ("rates", "", "crossentropy", "0.01", "1"),
    ]
    assert len(rows) == 3 + 8


def test_json_is_an_object_a_line_with_the_axes_of_its_study(store: Store) -> None:
    records = [json.loads(line) for line in lines("json", [WIDTHS, RATES], store).splitlines()]
    assert [{key: value for key, value in each.items() if key != "study"} for each in records] == [
        *trial_records(WIDTHS, store.results(WIDTHS.trials)),
        *trial_records(RATES, store.results(RATES.trials)),
    ]
    assert [each["study"] for each in records] == ["widths"] * 3 + ["rates"] * 8


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_text_file_has_what_would_be_printed(kind: str, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "new" / "export"
    assert write_export(kind, [WIDTHS], store.results, path) == path
    assert path.read_bytes().decode() == lines(kind, [WIDTHS], store)


def test_parquet_has_the_records_with_types_and_nulls_and_the_version(store: Store, tmp_path: Path) -> None:
    table = pq.read_table(write_export("parquet", [WIDTHS, RATES], store.results, tmp_path / "all.parquet"))
    records = [json.loads(line) for line in lines("json", [WIDTHS, RATES], store).splitlines()]
    assert table.to_pylist() == [dict.fromkeys(table.column_names) | record for record in records]
    types = {name: table.schema.field(name).type for name in table.column_names}
    assert types["model.hidden.0"] == types["seed"] == pa.int64()
    assert types["training.learning_rate"] == types["test_error_percent"] == pa.float64()
    assert types["study"] == types["training.loss"] == pa.string()
    assert table["model.hidden.0"].null_count == 8
    assert set(table.schema.metadata) == {b"digitlab"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_study_of_which_nothing_is_done_is_exported_without_rows(kind: str, tmp_path: Path) -> None:
    path = write_export(kind, [WIDTHS], nothing, tmp_path / "export")
    if kind == "csv":
        assert path.read_text() == ",".join(["study", "model.hidden.0", *COLUMNS]) + "\n"
    elif kind == "json":
        assert path.read_text() == ""
    elif kind == "parquet":
        assert pq.read_table(path).num_rows == 0
        assert pq.read_schema(path).names == ["study", "model.hidden.0", *COLUMNS]
    else:
        assert len(left_in(path)) == 1  # what is varied, and no run


@pytest.mark.parametrize("kind", KINDS)
def test_results_are_read_a_part_at_a_time(kind: str, tmp_path: Path) -> None:
    plan = plan_of("many", Axis(path="model.hidden.0", values=tuple(range(1, 101))), seeds=7)
    asked: list[list[Trial]] = []

    def note(trials: Iterable[Trial]) -> Mapping[str, Result]:
        asked.append(list(trials))
        return {}

    write_export(kind, [plan], note, tmp_path / "export")
    assert [trial for part in asked for trial in part] == [
        trial for cell in plan.cells for trial in cell.trials
    ]
    assert len(asked) > 2
    assert max(map(len, asked)) <= AT_A_TIME


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_there_already_is_refused_and_left_as_it_is(kind: str, store: Store, tmp_path: Path) -> None:
    (tmp_path / "export").write_text("mine")
    with pytest.raises(
        UserError, match=r"expected a new (path|folder), received one that is there; name another"
    ):
        write_export(kind, [WIDTHS], store.results, tmp_path / "export")
    assert (tmp_path / "export").read_text() == "mine"
    assert left_in(tmp_path) == {"export"}


@pytest.mark.parametrize("error", [StoreError("damaged"), KeyboardInterrupt()])
@pytest.mark.parametrize("kind", KINDS)
def test_an_export_that_is_cut_short_leaves_nothing(
    kind: str, error: BaseException, store: Store, tmp_path: Path
) -> None:
    def fail_in_the_second_study(trials: Iterable[Trial]) -> Mapping[str, Result]:
        asked = list(trials)
        if asked[0].id == RATES.trials[0].id:
            assert left_in(tmp_path)  # the first study is in the making
            raise error
        return store.results(asked)

    with pytest.raises(type(error)):
        write_export(kind, [WIDTHS, RATES], fail_in_the_second_study, tmp_path / "export")
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_is_a_users_error_and_leaves_nothing(kind: str, store: Store, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="a limit on files stands for the full disk")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    try:
        with pytest.raises(UserError, match=r"export: cannot be written: .*disk has room") as caught:
            write_export(kind, [WIDTHS, RATES], store.results, tmp_path / "export")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(str(caught.value).splitlines()) == 1
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_a_place_that_can_hold_no_file_is_a_users_error(kind: str, store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        write_export(kind, [WIDTHS], store.results, tmp_path / "file" / "export")


@pytest.mark.parametrize(("kind", "library"), [("parquet", "pyarrow"), ("tensorboard", "tensorboard")])
def test_a_library_that_is_not_installed_is_named_with_its_extra(
    kind: str, library: str, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"{library} is not installed.*\[export\]"):
        write_export(kind, [WIDTHS], store.results, tmp_path / "export")
    assert left_in(tmp_path) == set()


@pytest.fixture(scope="module")
def tensorboard() -> Iterator[SimpleNamespace]:
    """TensorBoard's readers, over its own file functions, as where TensorFlow is not installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "tensorboard.compat.notf", ModuleType("notf"))
        from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
        from tensorboard.context import RequestContext
        from tensorboard.plugins.base_plugin import TBContext
        from tensorboard.plugins.hparams import api_pb2, get_experiment, list_session_groups
        from tensorboard.plugins.hparams.backend_context import Context

        def runs(folder: Path) -> dict[str, dict[str, list[tuple[int, float, float]]]]:
            found = {}
            for file in folder.rglob("events.out.tfevents.*"):
                accumulator = EventAccumulator(str(file.parent))
                accumulator.Reload()
                found[file.parent.relative_to(folder).as_posix()] = {
                    tag: [(each.step, each.value, each.wall_time) for each in accumulator.Scalars(tag)]
                    for tag in accumulator.Tags()["scalars"]
                }
            return found

        def hparams(folder: Path) -> tuple[Any, list[Any]]:
            multiplexer = EventMultiplexer().AddRunsFromDirectory(str(folder))
            multiplexer.Reload()
            provider = MultiplexerDataProvider(multiplexer, str(folder))
            here = (RequestContext(), Context(TBContext(data_provider=provider)), "")
            request: Any = api_pb2
            experiment = get_experiment.Handler(*here, request.GetExperimentRequest()).run()
            succeeded = request.ListSessionGroupsRequest(
                slice_size=1000, allowed_statuses=[request.STATUS_SUCCESS]
            )
            return experiment, list(list_session_groups.Handler(*here, succeeded).run().session_groups)

        yield SimpleNamespace(runs=runs, hparams=hparams)


def test_tensorboard_reads_a_run_for_each_trial_with_scalars_by_epoch(
    tensorboard: SimpleNamespace, store: Store, tmp_path: Path
) -> None:
    runs = tensorboard.runs(write_export("tensorboard", [WIDTHS], store.results, tmp_path / "runs"))
    assert runs.pop(".") == {}
    assert set(runs) == {"widths/8-0", "widths/8-1", "widths/16-0"}
    result = store.results(WIDTHS.trials)[WIDTHS.cells[0].trials[1].id]
    scalars = runs["widths/8-1"]
    assert set(scalars) == SCALARS
    losses = [(record.epoch, pytest.approx(record.loss)) for record in result.history]
    assert [(step, value) for step, value, _ in scalars["training/loss"]] == losses
    errors = [(epoch, pytest.approx(scores.error_percent)) for epoch, scores in result.test.items()]
    assert [(step, value) for step, value, _ in scalars["test/error_percent"]] == errors
    moments = [moment for _, _, moment in scalars["validation/accuracy"]]
    assert [later - earlier for earlier, later in pairwise(moments)] == pytest.approx([0.25, 0.25])


def test_the_test_accuracy_is_at_the_checkpoints_only(tensorboard: SimpleNamespace, tmp_path: Path) -> None:
    plan = plan_of("long", Axis(path="model.hidden.0", values=(8,)), seeds=1, epochs=7)
    results = {trial.id: pretend(trial, lambda _: None) for trial in plan.trials}
    runs = tensorboard.runs(write_export("tensorboard", [plan], lambda _: results, tmp_path / "runs"))
    steps = {tag: [step for step, _, _ in values] for tag, values in runs["long/8-0"].items()}
    assert steps["test/accuracy"] == [1, 2, 5, 7]
    assert steps["validation/accuracy"] == [1, 2, 3, 4, 5, 6, 7]


def test_the_hparams_dashboard_knows_the_axes_with_their_levels_and_both_errors(
    tensorboard: SimpleNamespace, store: Store, tmp_path: Path
) -> None:
    plans = [WIDTHS, RATES]
    experiment, _ = tensorboard.hparams(write_export("tensorboard", plans, store.results, tmp_path / "runs"))
    domains = {each.name: list(each.domain_discrete) for each in experiment.hparam_infos}
    assert domains == {
        "study": ["widths", "rates"],
        "model.hidden.0": [8, 16],
        "training.loss": ["crossentropy", "mse"],
        "training.learning_rate": [0.01, 1],
    }
    titles = {each.name: each.display_name for each in experiment.hparam_infos}
    assert titles["model.hidden.0"] == "neurons"
    assert [each.name.tag for each in experiment.metric_infos] == [
        "test/error_percent",
        "validation/error_percent",
    ]


def test_the_hparams_dashboard_has_a_session_for_each_trial_and_a_group_for_each_level(
    tensorboard: SimpleNamespace, store: Store, tmp_path: Path
) -> None:
    plans = [WIDTHS, RATES]
    _, groups = tensorboard.hparams(write_export("tensorboard", plans, store.results, tmp_path / "runs"))
    sessions = {group.name: [session.name for session in group.sessions] for group in groups}
    assert sessions == {
        "widths/8": ["widths/8-0", "widths/8-1"],
        "widths/16": ["widths/16-0"],
        **{
            f"rates/{level}": [f"rates/{level}-0", f"rates/{level}-1"]
            for level in ("crossentropyx0.01", "crossentropyx1", "msex0.01", "msex1")
        },
    }
    group = next(group for group in groups if group.name == "widths/8")
    assert group.hparams["model.hidden.0"].number_value == 8
    assert group.hparams["study"].string_value == "widths"
    assert "training.loss" not in group.hparams
    known = store.results(WIDTHS.cells[0].trials).values()
    means = {each.name.tag: each.value for each in group.metric_values}
    assert means == {
        "test/error_percent": pytest.approx(sum(each.final_test.error_percent for each in known) / 2),
        "validation/error_percent": pytest.approx(
            sum(100 * (1 - each.history[-1].validation_accuracy) for each in known) / 2
        ),
    }


def test_one_study_alone_has_no_hparam_of_its_name(
    tensorboard: SimpleNamespace, store: Store, tmp_path: Path
) -> None:
    folder = write_export("tensorboard", [RATES], store.results, tmp_path / "runs")
    experiment, groups = tensorboard.hparams(folder)
    assert {each.name for each in experiment.hparam_infos} == {"training.loss", "training.learning_rate"}
    assert all(set(group.hparams) == {"training.loss", "training.learning_rate"} for group in groups)


def test_levels_that_are_paths_or_differ_in_case_have_folders_of_their_own(
    tensorboard: SimpleNamespace, tmp_path: Path
) -> None:
    names = ("../../mine.toml", "a b", "a_b", "A_B", "x" * 300, "é")
    plan = plan_of("names", Axis(path="recipe", values=names), seeds=1)
    results = {trial.id: pretend(trial, lambda _: None) for trial in plan.trials}
    folder = write_export("tensorboard", [plan], lambda _: results, tmp_path / "runs")
    assert left_in(tmp_path) == {"runs"}
    assert left_in(folder / "names") == {
        ".._.._mine.toml-0",
        "a_b-0",
        "a_b_-0",
        "A_B__-0",
        "x" * 100 + "-0",
        "_-0",
    }
    _, groups = tensorboard.hparams(folder)
    assert {group.hparams["recipe"].string_value for group in groups} == set(names)
