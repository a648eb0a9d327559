"""`digitlab study`: list, run, show, report and export studies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from digitlab.cli.console import plain_table, print_json, say, stdout, utf8_stdout
from digitlab.cli.options import DataOption, JsonOption, StoreOption
from digitlab.cli.streams import StdoutError
from digitlab.cli.study_output import print_studies, print_trials
from digitlab.errors import MissingExtraError, UserError
from digitlab.workspace import DEFAULT_STORE, Workspace

if TYPE_CHECKING:
    from digitlab.data.dataset import Dataset
    from digitlab.results.store import Store
    from digitlab.spec.plan import Plan
    from digitlab.spec.study import Study
    from digitlab.studies.executors.base import Executor

ExecutorName = Literal["inline", "processes", "ray"]
ExportFormat = Literal["csv", "json", "parquet", "tensorboard"]

app = typer.Typer(help="Designed studies: list, run, show, report, export.", no_args_is_help=True)

StudyArgument = Annotated[str, typer.Argument(metavar="NAME|FILE", help="Name of a study, or its TOML file.")]
SeedsOption = Annotated[
    int | None, typer.Option("--seeds", min=1, max=1000, help="Networks per level [the study's own number].")
]

FirstSeedOption = Annotated[
    int | None,
    typer.Option(
        "--first-seed", min=0, max=1_000_000, help="First seed, for one part of many [the study's own: 0]."
    ),
]


@app.command("list")
def list_studies(as_json: JsonOption = False, store: StoreOption = DEFAULT_STORE) -> None:
    """List the studies in the package, the collections that run several as one, and the store's own."""
    from digitlab.spec.library import collection_names, resolve_collection, resolve_study, study_names

    studies = [*map(resolve_study, study_names()), *_own_studies(store)]
    collections = [resolve_collection(name) for name in collection_names()]
    if as_json:
        for spec in (*collections, *studies):
            print_json(spec.to_values())
        return
    table = plain_table("name", "question", "varied")
    for collection in collections:
        table.add_row(collection.name, collection.title, f"{len(collection.studies)} studies, run together")
    for study in studies:
        table.add_row(study.name, study.question, ", ".join(axis.title for axis in study.axes))
    stdout().print(table)


def _own_studies(path: Path) -> list[Study]:
    """Return the studies that a store has besides the package's, by name; none if there is no store."""
    from digitlab.results.store import Store
    from digitlab.spec.library import study_names

    if not path.exists():
        return []
    own: dict[str, Study] = {}
    with Store(path, create=False) as store:
        for kept in store.studies():
            plan = store.plan(kept.study, kept.fingerprint)
            if plan is not None and kept.study not in study_names():
                own.setdefault(kept.study, plan.own_study)
    return [own[name] for name in sorted(own)]


WorkersOption = Annotated[
    int | None,
    typer.Option(min=1, max=100_000, help="Trials at the same time, one thread each [all cores]."),
]
ExecutorOption = Annotated[
    ExecutorName,
    typer.Option(
        help="inline: all in this process; processes: on this machine; ray: on a cluster [processes]."
    ),
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        metavar="auto|HOST:PORT|ray://HOST:PORT",
        help="The Ray cluster [one is started for the run].",
    ),
]
GpusOption = Annotated[
    float | None, typer.Option(min=0, help="Share of a GPU that each trial takes on a Ray cluster [0].")
]
BundlesOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Save each trained network there, as a bundle.")
]


@app.command()
def run(
    study: StudyArgument,
    seeds: SeedsOption = None,
    first_seed: FirstSeedOption = None,
    data: DataOption = None,
    workers: WorkersOption = None,
    executor: ExecutorOption = "processes",
    address: AddressOption = None,
    gpus: GpusOption = None,
    again: Annotated[bool, typer.Option("--again", help="Train finished trials, too.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Train failed trials, too.")] = False,
    report: Annotated[bool, typer.Option(help="Write the HTML report.")] = True,
    bundles: BundlesOption = None,
    observe: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=OPTIONS]", help="Tell an observer of the run, such as mlflow; repeatable."
        ),
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Run a study: train what is not done yet, print the table, write the report.

    The exit code is 1 when a trial of the study failed, now or before.
    """
    from digitlab.cli.data_warnings import warn_of_data
    from digitlab.cli.progress import StudyProgress
    from digitlab.data import load
    from digitlab.files import ensure_folder
    from digitlab.report import report_file
    from digitlab.results.store import Store
    from digitlab.studies.observers import Observers, RunOptions, find_observer
    from digitlab.studies.planning import plan_study
    from digitlab.studies.runner import failed_trials, run_plans

    _require_libraries(report)
    chosen = _executor(executor, workers, address, gpus)
    load_once = cache(load)  # studies of a collection share their data
    plans = [
        plan_study(name, seeds=seeds, first_seed=first_seed, data=data, load=load_once)
        for name in _members(study)
    ]
    if report:  # refused before anything is trained
        report_file(study, plans, Workspace.of(store))
    warn_of_data([plan.study.data.dataset for plan in plans], load_once)
    folder = None if bundles is None else ensure_folder(bundles)
    options = RunOptions(force=again, retry_failed=retry_failed, bundles=folder)
    others = [find_observer(request, store) for request in observe or ()]
    with Store(store) as opened:
        try:
            with StudyProgress(study, plans) as progress:
                run_plans(plans, opened, chosen, Observers(progress, others), options, load_once)
        except (KeyboardInterrupt, SystemExit):
            say("stopped; finished trials are kept: run the same command again to resume")
            raise
        with suppress(StdoutError):  # reported by `main.run`; the report is written all the same
            print_studies(plans, opened, as_json)
        if report:
            say(f"report: {_write_report(study, plans, opened, load_once)}")
        failed = failed_trials(plans, opened)
    if failed:
        trials = {trial.id for plan in plans for trial in plan.trials}  # studies may share trials
        say(f"{len(failed)} of {len(trials)} trials failed; --retry-failed trains them again")
        raise typer.Exit(1)


@app.command()
def show(
    study: StudyArgument,
    seeds: SeedsOption = None,
    data: DataOption = None,
    trials: Annotated[bool, typer.Option("--trials", help="List the trials with their ids instead.")] = False,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Print the stored results of a study, as it was last run."""
    from digitlab.data import load
    from digitlab.results.store import Store

    with Store(store, create=False) as opened:
        plans = _plans(study, seeds, data, opened, cache(load))
        if trials:
            print_trials(plans, opened, as_json)
        else:
            print_studies(plans, opened, as_json)


@app.command()
def merge(
    others: Annotated[
        list[Path], typer.Argument(metavar="STORE...", help="SQLite files of results, which are only read.")
    ],
    keep: Annotated[
        Literal["ours", "theirs"] | None,
        typer.Option(help="Whose result counts where two stores have different ones of a trial [an error]."),
    ] = None,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Add the results of other stores to the store, such as those of a class or of several computers."""
    from digitlab.results.merging import merge_stores
    from digitlab.results.store import Store

    for other in others:  # refused before a new store is made for nothing
        if not other.is_file():
            raise UserError(f"store {other}: expected a file of results, found none; check the path")
        Store(other, create=False).close()
    with Store(store) as opened:
        report = merge_stores(opened, others, keep)
    for remark in report.remarks:
        say(remark)
    say(
        f"merged into {store}: {report.added} trials added, {report.equal} were there with the same result, "
        f"{len(report.conflicts)} with another one{f' ({keep} kept)' if report.conflicts else ''}, "
        f"{report.failed} failed ones added"
    )


@app.command()
def report(
    study: StudyArgument,
    seeds: SeedsOption = None,
    data: DataOption = None,
    form: Annotated[
        Literal["html", "md"],
        typer.Option("--format", help="One HTML file, or Markdown with its figures as PNG files beside it."),
    ] = "html",
    out: Annotated[
        Path | None,
        typer.Option(help="The file [reports/NAME.html beside the store; NAME-on-DATA.html of other data]."),
    ] = None,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Write the report of a study or a collection from the stored results."""
    from digitlab.data import load
    from digitlab.results.store import Store

    with Store(store, create=False) as opened:
        load_once = cache(load)
        plans = _plans(study, seeds, data, opened, load_once)
        path = _write_report(study, plans, opened, load_once, form, out)
        stdout().print(str(path), soft_wrap=True)  # whole, so that it can be copied or passed on
        _say_what_is_empty(plans, opened)


@app.command()
def export(
    study: StudyArgument,
    seeds: SeedsOption = None,
    data: DataOption = None,
    kind: Annotated[
        ExportFormat | None,
        typer.Option(
            "--format", help="csv; json, an object a line; parquet; or tensorboard, a folder of runs [csv]."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="New file, or new folder of runs [csv, json: stdout].")
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Write the results of each level and seed of a study for other programs.

    Where nothing is done yet, that is said on stderr, what is written has no records, and the exit code is 0.
    """
    from digitlab.data import load
    from digitlab.report.export import write_export, write_lines
    from digitlab.results.store import Store

    wanted = _export_format(kind, as_json)
    if out is None and wanted not in ("csv", "json"):
        raise UserError(f"--format {wanted}: expected --out PATH, received none; add it")
    with Store(store, create=False) as opened:
        plans = _plans(study, seeds, data, opened, cache(load))
        if out is not None:
            path = write_export(wanted, plans, opened.results, out)
            say(f"export: {path}")
        elif wanted in ("csv", "json"):
            write_lines(wanted, plans, opened.results, utf8_stdout())
        _say_what_is_empty(plans, opened, ", no record is written")


def _say_what_is_empty(plans: Sequence[Plan], store: Store, rest: str = "") -> None:
    for plan in plans:
        if not store.find_runs(plan.trials):
            say(f"study {plan.study.name} on {_title(plan)}: no trial is done yet{rest}")


def _export_format(kind: ExportFormat | None, as_json: bool) -> ExportFormat:
    if as_json and kind not in (None, "json"):
        raise UserError(f"--json: expected no --format with it, received --format {kind}; remove one")
    if as_json:
        return "json"
    return kind or "csv"


def _executor(name: ExecutorName, workers: int | None, address: str | None, gpus: float | None) -> Executor:
    from digitlab.studies.executors.inline import InlineExecutor
    from digitlab.studies.executors.processes import ProcessExecutor
    from digitlab.training.process import available_cores

    if name == "ray":
        from digitlab.studies.executors.ray import RayExecutor

        return RayExecutor(address, workers, gpus or 0.0)
    for option, value in (("--address", address), ("--gpus", gpus)):
        if value is not None:
            raise UserError(f"{option}: expected --executor ray with it, received --executor {name}; add it")
    if name == "processes":
        return ProcessExecutor(workers or available_cores())
    if workers is not None and workers > 1:
        raise UserError(
            f"--workers: expected 1 with --executor inline, received {workers}; use processes for more"
        )
    return InlineExecutor()


def _members(study: str) -> tuple[str, ...]:
    """Return the studies of a collection, or the study itself."""
    from digitlab.spec.library import collection_names, resolve_collection

    if study in collection_names():
        return resolve_collection(study).studies
    return (study,)


def _plans(
    study: str, seeds: int | None, data: str | None, store: Store, load: Callable[[str], Dataset]
) -> list[Plan]:
    """Return the plans of studies as the store has them, and print remarks on them."""
    from digitlab.studies.planning import stored_plan

    stored = [stored_plan(name, store, seeds=seeds, data=data, load=load) for name in _members(study)]
    remarks = [remark for item in stored for remark in item.remarks]
    for line in dict.fromkeys(remarks):  # studies of a collection may share one
        say(line)
    return [item.plan for item in stored]


def _title(plan: Plan) -> str:
    from digitlab.data.naming import data_title

    return data_title(plan.study.data.dataset, plan.fingerprint)


def _require_libraries(page: bool) -> None:
    """Raise an error, before anything is trained, if a library that tables or reports need is missing."""
    from importlib.util import find_spec

    if find_spec("scipy") is None:
        raise UserError(str(MissingExtraError("scipy", "report")))
    if not page:
        return
    for module in ("jinja2", "matplotlib"):
        if find_spec(module) is None:
            missing = MissingExtraError(module, "report")
            raise UserError(f"{missing}, or skip the report with --no-report")


def _write_report(
    study: str,
    plans: Sequence[Plan],
    store: Store,
    load: Callable[[str], Dataset],
    form: str = "html",
    out: Path | None = None,
) -> Path:
    from digitlab.report import report_file, write_stored_report

    file = report_file(study, plans, Workspace.of(store.path), form, out)
    if file.replaced:
        say(f"{file.path}: {file.replaced}")
    return write_stored_report(file, plans, store, load)
