"""Labels of a user's own pictures on the command line: matching them to files, and the scores."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from digitlab.cli.console import plain_table, print_json, say, stdout
from digitlab.cli.picture_names import STDIN, printable
from digitlab.errors import DataError

if TYPE_CHECKING:
    from digitlab.recognition import Reading
    from digitlab.recognition.labels import Label, Outcome, Score

_SHOWN = 3
"""Largest number of names in a message."""


def labelled(path: Path, arguments: Sequence[str], names: Sequence[str]) -> tuple[dict[str, Label], bool]:
    """Find the labels of the requested pictures, and print messages on those without a counterpart.

    Args:
        path: path of the file of labels.
        arguments: requested files, folders and patterns.
        names: files that the arguments stand for.

    Returns:
        Labels by the picture's name, in the order of `names`; and whether every label has a picture.

    Raises:
        DataError: the file of labels cannot be used, or no picture has a label.
    """
    from digitlab.recognition.labels import match_labels, read_labels

    labels = read_labels(path)
    if labels.unused:
        say(f"digitlab: {path}: unused columns: {_some(labels.unused)}")
    folders = [name for name in arguments if name != STDIN and os.path.isdir(name)]  # noqa: PTH112
    # A folder that holds its pictures' labels is read as a whole, and the labels are no picture.
    pictures = [name for name in names if name == STDIN or not _is_same(name, path)]
    matched, missing = match_labels(labels.entries, pictures, [path.parent, *folders, "."])
    if not matched:
        example = _some(pictures[:1]) or "none"
        received = _some([label.file for label in labels.entries])
        raise DataError(
            f"{path}: expected names of the {len(pictures):,} input files, such as {example}; "
            f"found {received}"
        )
    unlabelled = [name for name in pictures if name not in matched]
    if unlabelled:
        say(f"digitlab: {len(unlabelled):,} files have no label and are not read: {_some(unlabelled)}")
    if missing:
        files = _some([label.file for label in missing])
        say(f"digitlab: {path}: {len(missing):,} labels have no input picture: {files}")
    by_name = {name: matched[name] for name in pictures if name in matched}
    return by_name, not missing


def _is_same(one: str, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _some(names: Sequence[str]) -> str:
    text = ", ".join(map(printable, names[:_SHOWN]))
    if len(names) > _SHOWN:
        text += f" and {len(names) - _SHOWN:,} more"
    return text


def print_scored(labels: Mapping[str, Label], answered: Sequence[tuple[str, Reading]], as_json: bool) -> None:
    """Print the pictures that were not read as labelled, and the scores by group.

    Args:
        labels: labels by the picture's name.
        answered: names and readings of the pictures that could be read.
        as_json: whether to print only a JSON object for each group.
    """
    from digitlab.recognition.labels import Outcome, outcome, score

    scores = score([(labels[name], reading) for name, reading in answered])
    if as_json:
        for item in scores:
            print_json(item.to_values())
        return
    table = plain_table("file", "label", "text", "outcome")
    for name, reading in answered:
        label = labels[name]
        expected = Outcome.READ if label.text else Outcome.REFUSED
        result = outcome(reading, label)
        if result is not expected:
            table.add_row(printable(name), label.text, reading.text, result.value)
    if table.row_count:
        stdout().print("pictures whose result differs from their label")
        stdout().print(table)
    _print_group(
        "pictures with a number: % and 95 % interval",
        [item for item in scores if item.numbers],
        {"read": Outcome.READ, "wrong": Outcome.WRONG, "refused": Outcome.REFUSED},
    )
    _print_group(
        "pictures without a number: % and 95 % interval",
        [item for item in scores if not item.numbers],
        {"refused": Outcome.REFUSED, "read as a number": Outcome.WRONG},
    )


def _print_group(title: str, scores: Sequence[Score], columns: Mapping[str, Outcome]) -> None:
    if not scores:
        return
    has_numbers = scores[0].numbers  # where there is no number, none is shorter
    titles = ["n", *columns]
    if has_numbers:
        titles.append("wrong and shorter")
    table = plain_table("group", right=titles)
    for score in scores:
        cells = [printable(score.group) or "all", f"{len(score.outcomes):,}"]
        cells += [_share(score, outcome) for outcome in columns.values()]
        if has_numbers:
            cells.append(f"{score.shorter:,}")
        table.add_row(*cells)
    stdout().print(title)
    stdout().print(table)


def _share(score: Score, outcome: Outcome) -> str:
    share = 100 * score.count(outcome) / len(score.outcomes)
    low, high = score.interval(outcome)
    return f"{share:.1f} ({100 * low:4.1f} to {100 * high:5.1f})"
