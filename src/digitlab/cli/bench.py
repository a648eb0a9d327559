"""`digitlab bench`: speed on this machine, beside other software that does the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitlab.cli.console import plain_table, print_json, say, stderr, stdout
from digitlab.cli.options import JsonOption

if TYPE_CHECKING:
    from rich.table import Table

BATCH = 1000
PACKAGES = ("onnxruntime", "ai-edge-litert")

app = typer.Typer(help="Measure speed, side by side with what else does the same.", no_args_is_help=True)


@app.callback()
def _bench() -> None:
    pass  # with a callback, a group of one command stays a group


@app.command("recognition")
def recognition(
    model: Annotated[str, typer.Option(metavar="BUNDLE|NAME", help="The network.")] = "best",
    threads: Annotated[int, typer.Option(min=1, max=1024, help="Threads of every contestant.")] = 1,
    rounds: Annotated[int, typer.Option(min=1, max=1000, help="Rounds; medians are over them.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Time the classifier beside ONNX Runtime, LiteRT and Keras: an image, a batch, and the first answer."""
    from importlib.metadata import version

    from digitlab.bundle.benchmark import recognition_figures
    from digitlab.bundle.export import require
    from digitlab.bundle.files import check_bundle, find_bundle
    from digitlab.data import load
    from digitlab.training.process import environment, prepare_process

    bundle = check_bundle(find_bundle(model))
    require("ai_edge_litert", "export")
    prepare_process(threads, split=True)
    with stderr().status("measuring"):
        images = load("mnist").x_test[:BATCH]
        figures = recognition_figures(bundle, images, threads, rounds)
    figures |= {
        "model": model,
        "parameters": bundle.card.parameters,
        "multiply_adds": bundle.card.multiply_adds,
        "threads": threads,
        "rounds": rounds,
        "environment": environment() | {name: version(name) for name in PACKAGES},
    }
    if as_json:
        print_json(figures)
        return
    stdout().print(_table(figures))
    load_seconds = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in figures["load_seconds"].items())
    stdout().print(f"fresh process to first answer: {load_seconds}")


@app.command("service")
def service(
    model: Annotated[str, typer.Option(metavar="BUNDLE|NAME", help="The network.")] = "best",
    rounds: Annotated[int, typer.Option(min=1, max=1000, help="Rounds; medians are over them.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.5, max=600, help="Of one round and contestant.")] = 5.0,
    overload: Annotated[float, typer.Option(min=1, max=600, help="Seconds of four times the peak.")] = 30.0,
    soak: Annotated[int, typer.Option(min=1, help="Requests after which the memory is compared.")] = 100_000,
    as_json: JsonOption = False,
) -> None:
    """Load the service, beside plain endpoints around Keras and ONNX Runtime; it takes minutes."""
    from digitlab.serving.measuring.figures import Lengths, service_figures
    from digitlab.training.process import environment

    lengths = Lengths(peak=seconds, rounds=rounds, idle=seconds, half=2 * seconds, overload=overload)
    with stderr().status("measuring"):
        figures = service_figures(model, lengths, soak)
    figures |= {"model": model, "rounds": rounds, "environment": environment()}
    if as_json:
        print_json(figures)
        return
    stdout().print(_peaks(figures["peak"]))
    for line in _loaded(figures):
        stdout().print(line)


OutOption = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Where runs are kept and found again [digitlab-results/measurements]."),
]
PublishOption = Annotated[
    bool, typer.Option("--publish", help="Go on with, and replace, the results that the clone publishes.")
]


@app.command("training")
def training(
    contestants: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RECIPE|PEER]...", help="Who takes part [fast, fast-994, fast-995 and every peer]."
        ),
    ] = None,
    threads: Annotated[
        list[int] | None,
        typer.Option(min=1, max=1024, help="Threads of ours [all cores]; more than once: a row each."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="At least 3 seeds of ours and 1 of each peer.")
    ] = False,
    out: OutOption = None,
    publish: PublishOption = False,
    install: Annotated[
        bool, typer.Option("--install-peers", help="First install PyTorch and scikit-learn for the peers.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Race to 99.0, 99.4 and 99.5 % beside Keras's, PyTorch's and scikit-learn's examples; it takes hours.

    It goes on where it was stopped. Writes training.json, training.csv and training.png; of a part of the
    board only where --out is given.
    """
    from digitlab.cli.progress import part_bar
    from digitlab.cli.study_output import print_table
    from digitlab.files import write_whole
    from digitlab.speed.board import FEW, Seeds, run_board
    from digitlab.speed.book import Book
    from digitlab.speed.contestants import line_up
    from digitlab.speed.drawing import draw_board, png_of
    from digitlab.speed.places import install_peers, results_folder
    from digitlab.speed.standing import standing_of
    from digitlab.speed.tables import board_rows, standing_table, target_table
    from digitlab.training.process import available_cores, environment, require_libraries

    require_libraries()
    if install:
        install_peers()
    lineup = line_up(contestants or [], sorted(set(threads or [available_cores()])))
    for sentence in lineup.skipped:
        say(f"skipped: {sentence}")
    book = Book(results_folder(out, publish) / "training.json", environment())
    found = sum(len(book.runs(each.key)) for each in lineup.contestants)
    run_board(lineup.contestants, book, FEW if quick else Seeds(), part_bar)
    made = sum(len(book.runs(each.key)) for each in lineup.contestants) - found
    standings = [standing_of(each, book.runs(each.key)) for each in lineup.contestants]
    rows = board_rows(standings)
    written = bool(rows) and (not contestants or out is not None)
    if written:
        book.summarize(rows, skipped=lineup.skipped)
        write_whole(book.path.with_suffix(".png"), png_of(draw_board(standings)))
    if as_json:
        print_json({"environment": book.environment, "rows": rows, "skipped": lineup.skipped})
        return
    if rows:
        print_table(standing_table(standings))
        print_table(target_table(standings))
        say('"undecided", "between": the 95 % interval of a mean, or of several schedules, holds the target.')
        say(f"runs: {found} found in {book.path}, {made} made now")
    if written:
        say(f"written: {book.path}, and .csv and .png beside it")


@app.command("study")
def study(
    networks: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NETWORK]...", help="Of the sample [all, which stand for the classroom]."),
    ] = None,
    workers: Annotated[
        list[int] | None,
        typer.Option(
            min=1, max=1024, help="Worker processes [1 and one a core]; may be given more than once."
        ),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, max=1000, help="Rounds; medians are over them.")] = 3,
    epochs: Annotated[
        int, typer.Option(min=2, max=1000, help="Of one training; the first is not timed.")
    ] = 4,
    out: OutOption = None,
    publish: PublishOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train the classroom's networks beside keras.fit: trial-epochs a second; it takes about half an hour.

    It goes on where it was stopped. Writes study.json and study.csv; of a part of the sample only where
    --out is given.
    """
    from digitlab.cli.progress import part_bar
    from digitlab.cli.study_output import print_table
    from digitlab.speed.book import Book
    from digitlab.speed.classroom import Lengths, measure_sample, study_rows, study_table
    from digitlab.speed.places import results_folder
    from digitlab.training.process import available_cores, environment, require_libraries

    require_libraries()
    book = Book(results_folder(out, publish) / "study.json", environment())
    counts = sorted(set(workers or [1, available_cores()]))
    measured = measure_sample(networks or [], counts, Lengths(rounds, epochs), book, part_bar)
    rows = study_rows(measured)
    written = not networks or out is not None
    if written:
        book.summarize(rows)
    if as_json:
        print_json({"environment": book.environment, "rows": rows})
        return
    print_table(study_table(rows))
    if written:
        say(f"written: {book.path}, and .csv beside it")


def _peaks(peak: dict[str, Any]) -> Table:
    table = plain_table("32 clients", right=("requests/s", "digitlab is faster by", "median, ms", "p99, ms"))
    for name, values in peak.items():
        table.add_row(
            name,
            f"{values['rate']:,.0f}",
            f"{peak['digitlab']['rate'] / values['rate']:.2f}",
            f"{1000 * values['p50']:.1f}",
            f"{1000 * values['p99']:.1f}",
        )
    return table


def _loaded(figures: dict[str, Any]) -> Iterator[str]:
    """Yield lines about the service under load."""
    for name, title in (("idle", "one client"), ("half", "half load"), ("overload", "overload of 4 x")):
        values = figures[name]
        statuses = ", ".join(f"{count:,} x {status}" for status, count in values["statuses"].items())
        yield (
            f"{title:16} {values['rate']:8,.0f} /s   median {1000 * values['p50']:.1f} ms, "
            f"p99 {1000 * values['p99']:.1f} ms   {statuses}"
        )
    over, memory = figures["overload"], figures["memory"]
    recovered = over["seconds_to_recover"]
    yield (
        f"{100 * over['goodput']:.0f} % of the peak is answered meanwhile; p99 is {over['slowdown']:.1f} "
        f"times that of one client; alive within {1000 * over['live_longest']:.0f} ms; recovered "
        + ("too late" if recovered is None else f"in {recovered} s")
    )
    if memory["growth_bytes"] is not None:
        yield f"memory after {memory['requests']:,} requests: {memory['growth_bytes'] / 2**20:+.1f} MiB"


def _table(figures: dict[str, Any]) -> Table:
    batch_title = f"{figures['batch_images']:,} images, ms"
    table = plain_table("", right=("one image, ms", "times raw", batch_title, "images/s", "of raw"))
    for name, single in figures["single"].items():
        batch = figures["batch"][name]
        table.add_row(
            name,
            f"{1000 * single['seconds']:.3f}",
            f"{single['times_raw']:.2f}",
            f"{1000 * batch['seconds']:.1f}",
            f"{figures['batch_images'] / batch['seconds']:,.0f}",
            f"{100 / batch['times_raw']:.0f} %",
        )
    return table
