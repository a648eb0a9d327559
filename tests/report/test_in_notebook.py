"""A study's table in a notebook."""

from __future__ import annotations

from typing import Any

from digitlab.results.aggregate import aggregate
from digitlab.spec import Axis, Plan, Study, Trial, make_plan, resolve_recipe


def widths(question: str = "How wide?") -> Plan:
    axis = Axis(path="model.hidden.0", values=(8, 16))
    study = Study(name="widths", question=question, recipe="mlp", axes=(axis,), seeds=3)
    return make_plan(study, resolve_recipe("mlp"), "0" * 64, "float32")


def test_it_is_a_line_for_people_and_tables_with_verdicts_for_a_notebook(make_result: Any) -> None:
    plan = widths("Is <b>16</b> better?")

    def skill(trial: Trial) -> float:
        model: Any = trial.model
        return 0.8 + model.hidden[0] / 100

    table = aggregate(plan, {trial.id: make_result(trial, skill(trial)) for trial in plan.trials}, {})
    assert repr(table) == "<StudyTable widths: 2 levels, 6 trainings done>"
    html = table._repr_html_()
    assert html.count("<table>") == 2
    assert "Is &lt;b&gt;16&lt;/b&gt; better?" in html
    assert "networks err" in html
    assert table.plot().axes


def test_a_study_without_results_says_so() -> None:
    html = aggregate(widths(), {}, {})._repr_html_()
    assert "No trial of this study is done yet." in html
