"""Composition of a study's section of the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from digitlab.data.classes import DIGITS
from digitlab.data.known_labels import known_corrections
from digitlab.data.naming import data_title
from digitlab.report.answers import best_row, lead
from digitlab.report.content import Block, Illustration, Notes, Piece, Section, Sentences, Tabular
from digitlab.report.drawing import draw_error_by_level, draw_kernels, draw_learning_curves, draw_misread
from digitlab.report.evidence import Evidence, evidence_of
from digitlab.report.figures import (
    Kernels,
    Misread,
    error_by_level,
    first_kernels,
    learning_curves,
    most_misread,
)
from digitlab.report.material import Material
from digitlab.report.matrices import confusion_counts, confusion_table, surface_table
from digitlab.report.measured import method_line
from digitlab.report.metric import ERROR, Metric, metrics_of
from digitlab.report.tables import evidence_table, notes, study_table
from digitlab.report.text import listed, number
from digitlab.report.verdicts import sentences
from digitlab.results.record import Result
from digitlab.spec.recipe import CNN
from digitlab.spec.study import RECIPE_PATH, settings_text

LONG = 12
"""Most rows of a table that is open; a longer one of comparisons, or below a surface, is folded."""

EPOCHS_PATH = "training.epochs"


def study_section(material: Material, key: str, *, digits: int, trained: Iterable[Result] = ()) -> Section:
    """Compose the section of one study.

    Args:
        material: the study's material.
        key: unique name in the report.
        digits: maximum number of misread images to show.
        trained: results of all studies of the report, for longer trainings that levels are read from.
    """
    study = material.table.plan.study
    return Section(
        key=key,
        name=study.name,
        data=data_title(study.data.dataset, material.table.plan.fingerprint),
        question=study.question,
        description=study.description,
        answer=lead(material.table),
        method=method_line(material.table),
        blocks=tuple(_Writer(material, key).blocks(digits, trained)),
    )


class _Writer:
    """Writes the blocks of one study."""

    def __init__(self, material: Material, key: str) -> None:
        self.material = material
        self.table = material.table
        self.key = key
        self.axes = self.table.plan.study.axes
        # Every table has the error; other metrics are read from whole results.
        self.metrics = [
            metric for metric in metrics_of(self.table.plan) if metric is ERROR or material.results
        ]

    def blocks(self, digits: int, trained: Iterable[Result]) -> Iterator[Block]:
        done = any(row.seeds for row in self.table.rows)
        if done:
            yield Block("Error by level", tuple(map(self._errors, self.metrics)))
        yield Block("Results", tuple(self._results()))
        if not done:
            return
        verdicts: list[Piece] = []
        for evidence in evidence_of(self.material):
            verdicts += self._verdicts(evidence)
        if verdicts:
            yield Block("Verdicts", tuple(verdicts))
        yield Block("Learning curves", tuple(map(self._curves, self.metrics)))
        confusion = tuple(self._confusion())
        if confusion:
            yield Block("Confusion", confusion)
        misread = tuple(self._misread(digits))
        if misread:
            has_digits = self.material.classes in (None, DIGITS)
            yield Block("Most misread digits" if has_digits else "Most misread images", misread)
        kernels = tuple(self._kernels(trained))
        if kernels:
            yield Block("First-layer kernels", kernels)

    def _errors(self, metric: Metric) -> Piece:
        data = error_by_level(self.material, metric)
        lines = ""
        if data.others:
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
        surface = surface_table(self.table)
        if surface:
            down, across = self.axes
            yield Tabular(
                surface,
                "Surface of the test error",
                f"Mean test error in percent: {down.title} downwards, {across.title} to the right.",
                shading="The deeper the colour, the more errors.",
            )
        folded = ""
        if surface and len(table.rows) > LONG:
            folded = "Every level with its interval, size and time"
        yield Tabular(table, "Results by level", folded=folded)
        remarks = notes(self.table)
        if remarks:
            yield Notes(remarks)

    def _verdicts(self, evidence: Evidence) -> Iterator[Piece]:
        yield Sentences(sentences(evidence))
        if not evidence.tested:
            return
        table = evidence_table(evidence)
        reference = settings_text(self.axes, self.table.plan.reference)
        about = "Verdicts are about these test images"
        if evidence.new_digits:
            about += "; those on new digits have a wider interval"
        yield Tabular(
            table,
            f"Comparisons by {evidence.metric.name}",
            f"Each level minus the reference ({reference}), by seed: below 0 the level has the smaller "
            f"{evidence.metric.name}. The verdict uses Holm's p; intervals are not corrected. {about}. "
            "The columns are explained under “Methods”.",
            folded="All comparisons" if len(table.rows) > LONG else "",
        )

    def _curves(self, metric: Metric) -> Piece:
        data = learning_curves(self.table, metric)
        ends = ", ".join(
            f"{level.label}: {level.validation.mean[-1]:.{metric.decimals}f}" for level in data.levels
        )
        read_off = "; shorter trainings are the beginnings of the longest" if self._over_epochs() else ""
        return Illustration(
            name=f"{self.key}-curves-{metric.key}",
            figure=draw_learning_curves(data),
            description=(
                f"Chart of the {metric.name} by epoch. On the validation part after the last epoch, by "
                f"level: {ends}."
            ),
            caption=(
                f"{_capital(metric.name)} by epoch, on the training images (left) and on the validation part "
                f"(right), one line for each level{read_off}. Lines: mean over seeds ({data.seeds}). Bands: "
                "smallest to largest of the seeds. On the training images it is measured during "
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
        results = self.material.results_of(best, cell)
        if not results:
            return
        where = settings_text(self.axes, best.levels)
        networks = "one network" if len(results) == 1 else f"{len(results)} networks"
        counts = confusion_counts([result.final_test for result in results])
        yield Tabular(
            confusion_table(counts, self.material.classes),
            f"Confusion matrix at {where}",
            f"Test images by published class (rows) and by predicted class (columns), summed over {networks} "
            f"at {where}, the level of least validation error.",
            shading="The deeper the colour, the more such mistakes.",
        )

    def _misread(self, count: int) -> Iterator[Piece]:
        data = self.material.digits
        predictions = list(self.material.predictions.values())
        if not predictions:
            return
        if data is None:
            yield Notes(("Not shown: the data of this study has changed since, or is not available.",))
            return
        corrections = known_corrections(data.fingerprint)
        misread = most_misread(predictions, data.y_test, count, corrections)
        if misread:
            yield self._misread_illustration(misread)

    def _misread_illustration(self, misread: Sequence[Misread]) -> Piece:
        assert self.material.digits is not None
        classes = self.material.classes or DIGITS
        kind = "digits" if classes == DIGITS else "images"
        again = ", one training after different epochs counted as several" if self._over_epochs() else ""
        known = ""
        if any(item.corrected is not None for item in misread):
            known = " Coloured: labels known to be wrong, with the digit that a majority of five people read."
        cases = "; ".join(_case(item, classes) for item in misread)
        return Illustration(
            name=f"{self.key}-misread",
            figure=draw_misread(misread, self.material.digits.x_test, classes),
            description=f"Misread {kind}. {cases}.",
            caption=(
                f"Test images misread by the most networks, of {misread[0].total}{again}; ties by "
                "agreement on the wrong class. Below each: the published label, the most common "
                f"wrong answer, and how many were wrong.{known} They are only shown, not used."
            ),
        )

    def _kernels(self, trained: Iterable[Result]) -> Iterator[Piece]:
        if all(axis.path != RECIPE_PATH for axis in self.axes):
            return
        found = first_kernels(self.material, trained)
        for i, kernels in enumerate(found):
            yield _kernels_illustration(f"{self.key}-kernels-{i}", kernels)
        if not self.material.results:
            return
        shown = {kernels.label for kernels in found}
        lacking = []
        for row, cell in self.material.levels():
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
