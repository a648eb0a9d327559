"""`digitlab study`: list, run, show, report and export studies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitlab.cli.console import print_json, say, stdout
from digitlab.cli.options import DEFAULT_STORE, DataOption, JsonOption, StoreOption

if TYPE_CHECKING:
    from digitlab.results.aggregate import StudyTable
    from digitlab.results.store import Store
    from digitlab.spec.plan import Plan
    from digitlab.studies.executors.base import Executor

app = typer.Typer(help="Designed studies: list, run, show, report, export.", no_args_is_help=True)

StudyArgument = Annotated[str, typer.Argument(metavar="NAME|FILE", help="Name of a study, or its TOML file.")]
SeedsOption = Annotated[
    int | None, typer.Option("--seeds", min=1, max=1000, help="Networks per level [the study's own number].")
]


@app.command("list")
def list_studies(as_json: JsonOption = False) -> None:
    """List the studies in the package."""
    from rich import box
    from rich.table import Table

    from digitlab.spec.library import resolve_study, study_names

    studies = [resolve_study(name) for name in study_names()]
    if as_json:
        for study in studies:
            print_json(study.to_values())
        return
    table = Table("name", "question", "varied", box=box.SIMPLE_HEAD)
    for study in studies:
        table.add_row(study.name, study.question, ", ".join(axis.title for axis in study.axes))
    stdout().print(table)


@app.command()
def run(
    study: StudyArgument,
    seeds: SeedsOption = None,
    data: DataOption = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="Trials at the same time, one thread each [all cores]."),
    ] = None,
    executor: Annotated[str, typer.Option(help="processes, or inline: all in this process.")] = "processes",
    again: Annotated[bool, typer.Option("--again", help="Train what is done, too.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Train what failed, too.")] = False,
    report: Annotated[bool, typer.Option(help="Write the HTML report.")] = True,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Run a study: train what is not done yet, print the table, write the report."""
    from digitlab.cli.progress import StudyProgress
    from digitlab.results.store import Store
    from digitlab.studies.runner import plan_study, read_table, run_plan

    plan = plan_study(study, seeds=seeds, data=data)
    with Store(store) as opened:
        try:
            with StudyProgress(plan) as progress:
                run_plan(
                    plan,
                    opened,
                    _executor(executor, workers),
                    progress,
                    again=again,
                    retry_failed=retry_failed,
                )
        except (KeyboardInterrupt, SystemExit):
            say("stopped; what is finished is kept: run the same command again to go on")
            raise
        table = read_table(plan, opened)
        _print(table, as_json)
        if report:
            say(f"report: {_write_report(table, opened)}")


@app.command()
def show(
    study: StudyArgument,
    seeds: SeedsOption = None,
    data: DataOption = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Print what the store has of a study, as it was last run."""
    from digitlab.results.store import Store
    from digitlab.studies.runner import read_table

    with Store(store, create=False) as opened:
        _print(read_table(_plan(study, seeds, data, opened), opened), as_json)


@app.command()
def report(
    study: StudyArgument,
    seeds: SeedsOption = None,
    data: DataOption = None,
    out: Annotated[Path | None, typer.Option(help="HTML file [reports/NAME.html beside the store].")] = None,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Write the HTML report of a study from what the store has."""
    from digitlab.results.store import Store
    from digitlab.studies.runner import read_table

    with Store(store, create=False) as opened:
        table = read_table(_plan(study, seeds, data, opened), opened)
        stdout().print(str(_write_report(table, opened, out)), soft_wrap=True)


@app.command()
def export(
    study: StudyArgument,
    seeds: SeedsOption = None,
    data: DataOption = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Print a line for each level and seed of a study: CSV, or JSON with --json."""
    import csv
    import sys

    from digitlab.results.aggregate import trial_records
    from digitlab.results.store import Store

    with Store(store, create=False) as opened:
        plan = _plan(study, seeds, data, opened)
        records = trial_records(plan, opened.results(trial.id for trial in plan.trials))
    if as_json:
        for record in records:
            print_json(record)
    elif records:
        writer = csv.DictWriter(sys.stdout, list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)


def _executor(name: str, workers: int | None) -> Executor:
    from digitlab.errors import UserError
    from digitlab.studies.executors.inline import InlineExecutor
    from digitlab.studies.executors.processes import ProcessExecutor
    from digitlab.training.process import available_cores

    if name == "processes":
        return ProcessExecutor(workers or available_cores())
    if name != "inline":
        raise UserError(f"--executor: expected processes or inline, received {name!r}")
    if workers is not None and workers > 1:
        raise UserError(
            f"--workers: expected 1 with --executor inline, received {workers}; use processes for more"
        )
    return InlineExecutor()


def _plan(study: str, seeds: int | None, data: str | None, store: Store) -> Plan:
    """Take the study as it was last run, unless it is a file or something is asked otherwise."""
    from digitlab.studies.runner import plan_study

    kept = store.plan(study) if seeds is None and data is None else None
    return kept or plan_study(study, seeds=seeds, data=data)


def _print(table: StudyTable, as_json: bool) -> None:
    from rich import box
    from rich.table import Table

    from digitlab.report.tables import notes, study_table

    if as_json:
        for row in table.rows:
            print_json(row.to_values())
        return
    text = study_table(table)
    drawn = Table(box=box.SIMPLE_HEAD)
    for position, (title, right) in enumerate(zip(text.columns, text.right, strict=True)):
        # On a narrow terminal titles may wrap between words, cells may not.
        widest = max(map(len, (*title.split(), *(cells[position] for cells in text.rows))))
        drawn.add_column(title, justify="right" if right else "left", min_width=widest)
    for cells in text.rows:
        drawn.add_row(*cells)
    console = stdout()
    console.print(drawn)
    for note in notes(table):
        console.print(note)


def _write_report(table: StudyTable, store: Store, out: Path | None = None) -> Path:
    from digitlab.data import load
    from digitlab.report import most_misread, write_report

    path = out or store.path.parent / "reports" / f"{table.plan.study.name}.html"
    dataset = load(table.plan.study.data.dataset)
    done = store.results(trial.id for trial in table.plan.trials).values()
    predictions = [store.predictions(result.trial.id, result.trial.training.epochs) for result in done]
    misread = most_misread(predictions, dataset.y_test)
    return write_report(table, path, misread=misread, images=dataset.x_test)
