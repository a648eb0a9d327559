"""Composition of a study's section of the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from digitlab.data.dataset import Dataset
from digitlab.data.known_labels import known_corrections
from digitlab.data.naming import data_title
from digitlab.report.answers import best_row, headline
from digitlab.report.comparisons import LevelComparisons, compare_levels
from digitlab.report.content import Block, Illustration, Notes, Piece, Section, Sentences, Tabular
from digitlab.report.drawing import draw_error_by_level, draw_kernels, draw_learning_curves, draw_misread
from digitlab.report.figures import (
    Kernels,
    Misread,
    error_by_level,
    first_kernels,
    learning_curves,
    most_misread,
)
from digitlab.report.matrices import LARGEST_MATRIX, confusion_counts, confusion_table, pivot_table
from digitlab.report.methods import method_line
from digitlab.report.metric import ERROR, Metric, metrics_of
from digitlab.report.sentences import comparison_sentences
from digitlab.report.study_data import StudyData
from digitlab.report.tables import comparison_table, notes, study_table
from digitlab.report.text import listed, number
from digitlab.report.trials import trials_of, trials_table
from digitlab.results.record import Result
from digitlab.spec.recipe import CNN
from digitlab.spec.study import RECIPE_PATH, settings_text

LONG = 12
"""Most rows of a table that is open; a longer one of comparisons, or below a surface, is folded."""

EPOCHS_PATH = "training.epochs"


def study_section(
    study_data: StudyData, key: str, *, misread: int, trained: Iterable[Result] = ()
) -> Section:
    """Compose the section of one study.

    Args:
        study_data: the study's results, predictions and data.
        key: unique name in the report.
        misread: maximum number of misread images to show.
        trained: results of all studies of the report, for longer trainings that levels are read from.
    """
    study = study_data.table.plan.study
    return Section(
        key=key,
        name=study.name,
        data=data_title(study.data.dataset, study_data.table.plan.fingerprint),
        question=study.question,
        description=study.description,
        answer=headline(study_data.table),
        method=method_line(study_data.table),
        blocks=tuple(_SectionWriter(study_data, key).blocks(misread, trained)),
    )


class _SectionWriter:
    """Writes the blocks of one study."""

    def __init__(self, study_data: StudyData, key: str) -> None:
        self.study_data = study_data
        self.table = study_data.table
        self.key = key
        self.axes = self.table.plan.study.axes
        # Every table has the error; other metrics are read from whole results.
        self.metrics = [
            metric for metric in metrics_of(self.table.plan) if metric is ERROR or study_data.results
        ]

    def blocks(self, misread: int, trained: Iterable[Result]) -> Iterator[Block]:
        is_begun = any(row.seeds for row in self.table.rows)
        if is_begun:
            yield Block("Error by level", tuple(map(self._errors, self.metrics)))
        yield Block("Results", tuple(self._results()))
        if not is_begun:
            return
        blocks = (
            ("Verdicts", self._verdicts()),
            ("Learning curves", map(self._curves, self.metrics)),
            ("Confusion", self._confusion()),
            (self._misread_title(), self._misread(misread)),
            ("First-layer kernels", self._kernels(trained)),
            ("Trials", self._trials()),
        )
        for title, content in blocks:
            pieces = tuple(content)
            if pieces:
                yield Block(title, pieces)

    def _errors(self, metric: Metric) -> Piece:
        data = error_by_level(self.study_data, metric)
        lines = ""
        if data.others:  # where there is one line, the legend names its three kinds of marks
            lines = f", one line for each level of {data.others}; the legend shows the test set"
        return Illustration(
            name=f"{self.key}-{metric.key}",
            figure=draw_error_by_level(data),
            description=(
                f"Chart of the {metric.name} on the test set and on the validation part against {data.axis}; "
                "the table has the values."
            ),
            caption=(
                f"{_capital(metric.name)} on the test set against {data.axis}{lines}. Dots with bars: mean "
                f"over seeds with its 95 % t interval ({data.seeds}). Faint dots: single networks. Diamonds: "
                "mean on the validation part, by which levels are chosen."
            ),
        )

    def _results(self) -> Iterator[Piece]:
        table = study_table(self.table)
        pivot = pivot_table(self.table)
        if pivot:
            down, across = self.axes
            yield Tabular(
                pivot,
                "Surface of the test error",
                f"Mean test error in percent: {down.title} downwards, {across.title} to the right.",
                shading="The deeper the colour, the more errors.",
            )
        folded = ""
        if pivot and len(table.rows) > LONG:  # the pivot table has the same errors
            folded = "Every level with its interval, size and time"
        yield Tabular(table, "Results by level", folded=folded)
        remarks = notes(self.table)
        if remarks:
            yield Notes(remarks)

    def _trials(self) -> Iterator[Piece]:
        rows = trials_of(self.table)
        yield Tabular(
            trials_table(self.table.plan, rows),
            "Trials by level and seed",
            "digitlab train --trial ID trains one again and says whether it gives the same bits.",
            folded=f"Each of the {len(rows)} trials with its id",
        )

    def _verdicts(self) -> Iterator[Piece]:
        for comparisons in compare_levels(self.study_data):
            yield Sentences(comparison_sentences(comparisons))
            if comparisons.tested:
                yield self._comparisons(comparisons)

    def _comparisons(self, comparisons: LevelComparisons) -> Piece:
        table = comparison_table(comparisons)
        metric = comparisons.metric.name
        reference = settings_text(self.axes, self.table.plan.reference)
        about = "Verdicts are about these test images"
        if comparisons.new_digits:
            about += "; those on new digits have a wider interval"
        return Tabular(
            table,
            f"Comparisons by {metric}",
            f"Each level minus the reference ({reference}), by seed: below 0 the level has the smaller "
            f"{metric}. The verdict uses Holm's p; intervals are not corrected. {about}. "
            "The columns are explained under “Methods”.",
            folded="All comparisons" if len(table.rows) > LONG else "",
        )

    def _curves(self, metric: Metric) -> Piece:
        data = learning_curves(self.table, metric)
        ends = []
        for level in data.levels:
            last = level.validation.mean[-1]
            ends.append(f"{level.label}: {last:.{metric.decimals}f}")
        beginnings = ""
        if self._over_epochs():
            beginnings = "; shorter trainings are the beginnings of the longest"
        return Illustration(
            name=f"{self.key}-curves-{metric.key}",
            figure=draw_learning_curves(data),
            description=(
                f"Chart of the {metric.name} by epoch. On the validation part after the last epoch, by "
                f"level: {', '.join(ends)}."
            ),
            caption=(
                f"{_capital(metric.name)} by epoch, on the training images (left) and on the validation part "
                f"(right), one line for each level{beginnings}. Lines: mean over seeds ({data.seeds}). "
                "Bands: smallest to largest of the seeds. On the training images it is measured during "
                "training, each image before its step, so the first epoch is high."
            ),
        )

    def _over_epochs(self) -> bool:
        return any(axis.path == EPOCHS_PATH for axis in self.axes)

    def _confusion(self) -> Iterator[Piece]:
        best = best_row(self.table)
        if best is None:
            return
        cell = self.table.plan.cells[self.table.rows.index(best)]
        results = self.study_data.results_of(best, cell)
        if not results:
            return
        where = settings_text(self.axes, best.levels)
        networks = "one network" if len(results) == 1 else f"{len(results)} networks"
        counts = confusion_counts([result.final_test for result in results])
        summed = f"summed over {networks} at {where}, the level of least validation error."
        table = confusion_table(counts, self.study_data.classes)
        if len(counts) > LARGEST_MATRIX:
            caption = f"Test images by published and by predicted class, the most frequent first, {summed}"
            yield Tabular(table, f"Commonest mistakes at {where}", caption)
            return
        yield Tabular(
            table,
            f"Confusion matrix at {where}",
            f"Test images by published class (rows) and by predicted class (columns), {summed}",
            shading="The deeper the colour, the more such mistakes.",
        )

    def _misread_title(self) -> str:
        has_digits = self.study_data.digits is None or self.study_data.digits.may_be_digits
        return "Most misread digits" if has_digits else "Most misread images"

    def _misread(self, count: int) -> Iterator[Piece]:
        predictions = list(self.study_data.predictions.values())
        if not predictions:
            return
        dataset = self.study_data.digits
        if dataset is None:
            yield Notes(("Not shown: the data of this study has changed since, or is not available.",))
            return
        corrections = known_corrections(dataset.fingerprint)
        misread = most_misread(predictions, dataset.y_test, count, corrections)
        if misread:
            yield self._misread_illustration(misread, dataset)

    def _misread_illustration(self, misread: Sequence[Misread], dataset: Dataset) -> Piece:
        classes = dataset.class_names
        kind = "digits" if dataset.may_be_digits else "images"
        counted = ""
        if self._over_epochs():
            counted = ", one training after different epochs counted as several"
        known = ""
        if any(item.corrected is not None for item in misread):
            known = " Coloured: labels known to be wrong, with the digit that a majority of five people read."
        cases = "; ".join(_case(item, classes) for item in misread)
        return Illustration(
            name=f"{self.key}-misread",
            figure=draw_misread(misread, dataset.x_test, classes),
            description=f"Misread {kind}. {cases}.",
            caption=(
                f"Test images misread by the most networks, of {misread[0].total}{counted}; ties by "
                "agreement on the wrong class. Below each: the published label, the most common "
                f"wrong answer, and how many were wrong.{known} They are only shown, not used."
            ),
        )

    def _kernels(self, trained: Iterable[Result]) -> Iterator[Piece]:
        if all(axis.path != RECIPE_PATH for axis in self.axes):
            return
        stored = first_kernels(self.study_data, trained)
        for i, kernels in enumerate(stored):
            yield _kernels_illustration(f"{self.key}-kernels-{i}", kernels)
        if not self.study_data.results:
            return
        shown = {kernels.label for kernels in stored}
        lacking = []
        for row, cell in self.study_data.levels():
            is_convolutional = isinstance(cell.trials[0].model, CNN)
            if is_convolutional and row.seeds and cell.label not in shown:
                lacking.append(cell.label)
        if lacking:
            yield Notes((f"Not stored for {listed(lacking)}: from a longer training of another study.",))


def _kernels_illustration(name: str, kernels: Kernels) -> Illustration:
    filters, rows, columns = kernels.weights.shape
    least = number(float(kernels.weights.min()))
    most = number(float(kernels.weights.max()))
    largest = number(float(np.abs(kernels.weights).max()))
    after = f"after {kernels.epochs} epochs"
    if kernels.epochs != kernels.asked:
        after += f", the longer training of which this level is the first {kernels.asked}"
    what = f"{filters} kernels of {rows}x{columns} in the first layer of {kernels.label}"
    return Illustration(
        name=name,
        figure=draw_kernels(kernels),
        description=f"The {what}: weights from {least} to {most}.",
        caption=(
            f"The {what}, of the network of seed {kernels.seed} {after}. Red weights are above 0, blue ones "
            f"below; the deepest colours stand for {largest} and −{largest}."
        ),
    )


def _case(item: Misread, classes: Sequence[str]) -> str:
    known = ""
    if item.corrected is not None:
        known = f", by re-labelling {classes[item.corrected]}"
    return (
        f"image {item.index}: published {classes[item.truth]}{known}, read {classes[item.usual]}, "
        f"{item.wrong} of {item.total} wrong"
    )


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
