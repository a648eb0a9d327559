"""How a study was measured: the code that trained it, and the names of what it was shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from clothes import CLOTHES
from digitlab.data.dataset import Dataset
from digitlab.report import StudyData
from digitlab.report.content import Illustration, Tabular
from digitlab.report.methods import method_notes, versions_text
from digitlab.report.section import study_section
from digitlab.results.aggregate import aggregate

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def told(material: StudyData, name: str) -> list[str]:
    [fact] = [fact for fact in method_notes([material.table]) if fact.name == name]
    return [line for entry in fact.entries for line in entry.lines]


def test_the_report_says_which_code_trained_its_networks(make_material) -> None:
    material = make_material()
    assert told(material, "Code") == ["the commit was not recorded"]
    codes = iter([(COMMIT, True), (COMMIT, False)])
    results = {
        trial: result.model_copy(
            update=dict(zip(("commit", "clean"), next(codes, (None, None)), strict=True))
        )
        for trial, result in material.results.items()
    }
    table = aggregate(material.table.plan, results, {})
    assert told(replace(material, table=table), "Code") == [
        f"commit {COMMIT}, with uncommitted changes",
        f"commit {COMMIT}",
        "the commit was not recorded",
    ]


def test_the_report_says_the_engine_version_and_that_it_is_older_than_the_present(make_material) -> None:
    trial = make_material().table.plan.trials[0]
    assert versions_text(trial) == "engine version 2"
    older = trial.model_copy(update={"engine_version": 1})
    assert versions_text(older) == "engine version 1, older than the present 2"


def test_classes_are_called_by_their_names(
    make_material, mnist: Dataset, predictions: tuple[np.ndarray, ...]
) -> None:
    material = make_material(
        digits=replace(mnist, classes=CLOTHES), answers=lambda _, seed: predictions[seed]
    )
    blocks = {block.title: block.pieces for block in study_section(material, "key", misread=6).blocks}
    [confusion] = blocks["Confusion"]
    assert isinstance(confusion, Tabular)
    assert [row[0] for row in confusion.table.rows[:2]] == ["0 Top", "1 Trouser"]
    [misread] = blocks["Most misread images"]
    assert isinstance(misread, Illustration)
    assert misread.description.startswith("Misread images. image ")
    titles = [axes.get_title() for axes in misread.figure.axes]
    assert any(name in titles[0] for name in CLOTHES)
