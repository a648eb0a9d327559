"""Export of study results for other programs: CSV, JSON lines, Parquet, and runs for TensorBoard."""

from __future__ import annotations

import csv
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple, TextIO

from digitlab.errors import MissingExtraError
from digitlab.files import new_file, new_folder
from digitlab.results.aggregate import trial_records
from digitlab.results.record import Result
from digitlab.spec.plan import Cell, Plan
from digitlab.spec.study import Level, SingleLevel, level_text, single
from digitlab.spec.trial import Trial

Results = Callable[[Iterable[Trial]], Mapping[str, Result]]
"""Function that returns the results of those trials that are done, by id, like `Store.results`."""

AT_A_TIME = 200
"""Largest number of trials whose results are in memory together; one level is always read whole."""

ROW_GROUP = 10_000
"""Records in one row group of a Parquet file, which are in memory together."""

COLUMNS: dict[str, type] = {
    "seed": int,
    "epochs": int,
    "trial": str,
    "engine_version": int,
    "test_images": int,
    "test_correct": int,
    "test_error_percent": float,
    "test_mse": float,
    "test_log_loss": float,
    "test_calibration_error": float,
    "validation_accuracy": float,
    "validation_mse": float,
    "train_seconds": float,
    "parameters": int,
    "multiply_adds": int,
    "data": str,
    "fingerprint": str,
}
"""Columns of a record after its study and its levels, as returned by `trial_records`."""

METRICS = {
    "test/error_percent": "test error in percent",
    "validation/error_percent": "validation error in percent",
}
"""Scalars by which TensorBoard's HParams dashboard compares the levels, and their titles."""


class Setting(NamedTuple):
    """A varied setting, in all studies together.

    Attributes:
        title: title of its axis.
        kind: type of its levels: bool, int, float or str.
        levels: distinct levels, in the order of the studies.
    """

    title: str
    kind: type
    levels: tuple[Level, ...]


def write_lines(kind: Literal["csv", "json"], plans: Sequence[Plan], results: Results, file: TextIO) -> None:
    """Write a record for each study, level and seed that is done, one per line, while they are read.

    Args:
        kind: `csv` with one header for all studies, or `json` with one object per line.
        plans: plans of the studies.
        results: function that reads their results.
        file: text file, open for writing.
    """
    if kind == "json":
        for record in _records(plans, results):
            file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")
        return
    writer = csv.DictWriter(file, ["study", *_settings(plans), *COLUMNS], lineterminator="\n")
    writer.writeheader()
    writer.writerows(_records(plans, results))


def write_export(kind: str, plans: Sequence[Plan], results: Results, path: Path | str) -> Path:
    """Write the finished trials of some studies to a new file or folder, completely or not at all.

    Args:
        kind: `csv`, `json` (one object per line), `parquet`, or `tensorboard`: a folder with a run
            `STUDY/LEVEL-SEED` for each trial and an experiment for HParams, in which a level is a
            session group of its seeds.
        plans: plans of the studies.
        results: function that reads their results.
        path: file or folder to write; it must not exist yet (for TensorBoard it may be an empty folder), and
            its parent folder is created.

    Returns:
        The path.

    Raises:
        MissingExtraError: the library for that format is not installed.
        OutputError: the path exists already or cannot be written.
    """
    with new_folder(path) if kind == "tensorboard" else new_file(path) as draft:
        if kind == "parquet":
            _write_parquet(plans, results, draft)
        elif kind == "tensorboard":
            _write_tensorboard(plans, results, draft)
        else:
            with draft.open("x", encoding="utf-8", newline="\n") as file:
                write_lines("json" if kind == "json" else "csv", plans, results, file)
    return Path(path)


def _parts(
    plans: Sequence[Plan], results: Results
) -> Iterator[tuple[Plan, Sequence[Cell], Mapping[str, Result]]]:
    for plan in plans:
        size = max(1, AT_A_TIME // plan.study.seeds)
        for start in range(0, len(plan.cells), size):
            cells = plan.cells[start : start + size]
            yield plan, cells, results(trial for cell in cells for trial in cell.trials)


def _records(plans: Sequence[Plan], results: Results) -> Iterator[dict[str, Level]]:
    for plan, cells, known in _parts(plans, results):
        for record in trial_records(plan, known, cells):
            yield {"study": plan.study.name, **record}


def _settings(plans: Sequence[Plan]) -> dict[str, Setting]:
    """Return the varied settings by their paths; the title is that of the first study that varies one."""
    titles: dict[str, str] = {}
    values: dict[str, list[SingleLevel]] = {}
    for plan in plans:
        for axis in plan.study.axes:
            titles.setdefault(axis.path, axis.title)
            values.setdefault(axis.path, []).extend(map(single, axis.values))
    settings = {}
    for path, levels in values.items():
        kinds = set(map(type, levels))
        kind = float if kinds == {int, float} else kinds.pop()  # a setting takes no other mixture
        distinct = dict.fromkeys(map(kind, levels))  # in the order of the studies
        settings[path] = Setting(titles[path], kind, tuple(distinct))
    return settings


def _write_parquet(plans: Sequence[Plan], results: Results, path: Path) -> None:
    try:
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter
    except ImportError:
        raise MissingExtraError("pyarrow", "export") from None
    types = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
    kinds: dict[str, type] = {"study": str}
    for name, setting in _settings(plans).items():
        kinds[name] = setting.kind
    kinds |= COLUMNS
    fields = [(name, types[kind]) for name, kind in kinds.items()]
    schema = pa.schema(fields, {"digitlab": version("digitlab")})
    records = _records(plans, results)
    with ParquetWriter(path, schema) as writer:
        while part := list(islice(records, ROW_GROUP)):
            rows = [{name: kinds[name](value) for name, value in record.items()} for record in part]
            writer.write_batch(pa.RecordBatch.from_pylist(rows, schema))


def _write_tensorboard(plans: Sequence[Plan], results: Results, folder: Path) -> None:
    board, now = _tensorboard(), time.time()
    settings = _settings(plans)
    _write_events(board, folder, now, [_experiment_event(board, plans, settings, now)])
    taken: set[str] = set()
    for plan, cells, known in _parts(plans, results):
        for cell in cells:
            level = _folder_name(plan, cell, taken)
            hparams: dict[str, Level] = {}
            for axis, value in zip(plan.study.axes, cell.levels, strict=True):
                hparams[axis.path] = settings[axis.path].kind(single(value))
            if len(plans) > 1:
                hparams["study"] = plan.study.name
            for trial in cell.trials:
                if trial.id not in known:
                    continue
                result = known[trial.id]
                start = now - result.train_seconds  # as if all trainings ended at the export
                events = _session_events(board, result, hparams, level, start)
                _write_events(board, folder / f"{level}-{result.trial.seed}", start, events)


def _tensorboard() -> Any:
    """Return the parts of TensorBoard that write events; its messages are created at run time, hence `Any`.

    Its EventFileWriter is not used: it imports TensorFlow wherever that is installed.
    """
    try:
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError:
        raise MissingExtraError("tensorboard", "export") from None
    return SimpleNamespace(
        events=event_pb2,
        summaries=summary_pb2,
        api=api_pb2,
        metadata=metadata,
        plugin=plugin_data_pb2,
        RecordWriter=RecordWriter,
    )


def _write_events(board: Any, folder: Path, start: float, events: Iterable[Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # TensorBoard finds files by `tfevents` in their names, and expects the file version as first event.
    with (folder / f"events.out.tfevents.{start:010.0f}.digitlab").open("xb") as file:
        writer = board.RecordWriter(file)
        first = board.events.Event(wall_time=start, file_version="brain.Event:2")
        for event in (first, *events):
            writer.write(event.SerializeToString())


def _folder_name(plan: Plan, cell: Cell, taken: set[str]) -> str:
    """Return a folder name for a level that any file system allows, unique even where case is ignored."""
    level = "x".join(level_text(value) for value in cell.levels)
    allowed = re.sub(r"[^A-Za-z0-9.,=+_-]", "_", level)
    name = f"{plan.study.name}/{allowed[:100]}"
    while name.lower() in taken:
        name += "_"
    taken.add(name.lower())
    return name


def _experiment_event(board: Any, plans: Sequence[Plan], settings: Mapping[str, Setting], now: float) -> Any:
    varied = dict(settings)
    if len(plans) > 1:
        names = dict.fromkeys(plan.study.name for plan in plans)
        varied = {"study": Setting("study", str, tuple(names)), **settings}
    studies = [f"- {plan.study.name} on {plan.study.data.name}: {plan.study.question}" for plan in plans]
    metrics = []
    for tag, title in METRICS.items():
        name = board.api.MetricName(tag=tag)
        metrics.append(board.api.MetricInfo(name=name, display_name=title))
    experiment = board.api.Experiment(
        description="\n".join(studies),
        time_created_secs=now,
        hparam_infos=[_hparam(board, path, setting) for path, setting in varied.items()],
        metric_infos=metrics,
    )
    return _hparams_event(board, board.metadata.EXPERIMENT_TAG, now, experiment=experiment)


def _hparam(board: Any, path: str, setting: Setting) -> Any:
    types = {bool: "DATA_TYPE_BOOL", str: "DATA_TYPE_STRING"}  # HParams has one type for all numbers
    info = board.api.HParamInfo(
        name=path,
        display_name=setting.title,
        type=getattr(board.api, types.get(setting.kind, "DATA_TYPE_FLOAT64")),
        differs=len(setting.levels) > 1,
    )
    info.domain_discrete.extend(setting.levels)
    return info


def _session_events(
    board: Any, result: Result, hparams: Mapping[str, Level], group: str, start: float
) -> Iterator[Any]:
    """Yield the events of one trial: its levels, epochs and end, at their seconds of training."""
    begin = board.plugin.SessionStartInfo(group_name=group, start_time_secs=start)
    for path, value in hparams.items():
        field = {bool: "bool_value", str: "string_value"}.get(type(value), "number_value")
        setattr(begin.hparams[path], field, value)
    yield _hparams_event(board, board.metadata.SESSION_START_INFO_TAG, start, session_start_info=begin)
    moment = start
    for record in result.history:
        moment += record.seconds
        values = []
        for tag, value in _scalars(result, record.epoch).items():
            values.append(board.summaries.Summary.Value(tag=tag, simple_value=value))
        summary = board.summaries.Summary(value=values)
        yield board.events.Event(wall_time=moment, step=record.epoch, summary=summary)
    end = start + result.train_seconds
    done = board.plugin.SessionEndInfo(status=board.api.STATUS_SUCCESS, end_time_secs=end)
    yield _hparams_event(board, board.metadata.SESSION_END_INFO_TAG, end, session_end_info=done)


def _scalars(result: Result, epoch: int) -> dict[str, float]:
    record = result.history[epoch - 1]
    test = result.test.get(epoch)  # only after epochs fixed in advance
    scalars = {
        "training/loss": record.loss,
        "training/accuracy": record.accuracy,
        "training/mse": record.mse,
        "validation/log_loss": record.validation_log_loss,
        "validation/accuracy": record.validation_accuracy,
        "validation/mse": record.validation_mse,
        "validation/error_percent": 100 * (1 - record.validation_accuracy),
    }
    if test is not None:
        scalars |= {"test/accuracy": test.accuracy, "test/error_percent": test.error_percent}
    return scalars


def _hparams_event(board: Any, tag: str, moment: float, **content: Any) -> Any:
    data = board.plugin.HParamsPluginData(**content)
    value = board.summaries.Summary.Value(
        tag=tag,
        metadata=board.metadata.create_summary_metadata(data),
        tensor=board.metadata.NULL_TENSOR,
    )
    return board.events.Event(wall_time=moment, summary=board.summaries.Summary(value=[value]))
