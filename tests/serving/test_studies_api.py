"""Studies over HTTP: read from a store, followed, and started only in ways that cannot do harm."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from digitlab.results.record import Result
from digitlab.results.store import Status, Store
from digitlab.serving.study_runs import StudyRuns
from digitlab.serving.study_view import StudyView
from digitlab.spec.library import collection_names, recipe_names, resolve_study, study_names
from digitlab.spec.plan import Plan
from digitlab.spec.recipe import PythonModel, Recipe
from digitlab.spec.study import Axis, Study
from digitlab.spec.trial import Trial
from digitlab.studies.runner import plan_study
from in_process import Client, token_of
from small_study import pretend, small_study, write_digits


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A study of two levels and two seeds."""
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder)
    return plan_study(small_study(folder))


@pytest.fixture
def store(tmp_path: Path, plan: Plan) -> Iterator[Store]:
    """The service's store, which knows the study's plan."""
    with Store(tmp_path / "store.sqlite") as opened:
        opened.save_plan(plan)
        yield opened


def finish(store: Store, plan: Plan, *places: int) -> None:
    for place in places:
        store.finish(pretend(plan.trials[place], lambda _: None))


def events(client: Client, name: str) -> list[tuple[str, dict[str, Any]]]:
    """All events of a study at rest."""
    text = client.get(f"/api/studies/{name}/events").text
    found = [part.split("\n", 1) for part in text.strip().split("\n\n") if part.startswith("event: ")]
    return [(event.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for event, data in found]


def test_without_a_store_the_library_is_listed(client: Client) -> None:
    values = client.get("/api/studies").json()
    assert values["store"] is None
    assert values["running"] is None
    assert {study["name"] for study in values["studies"]} == {*study_names(), *collection_names()}
    assert {study["state"] for study in values["studies"]} == {"new"}
    assert {study["origin"] for study in values["studies"]} == {"library"}


def test_a_study_is_listed_with_how_far_it_is(make_client: Any, store: Store, plan: Plan) -> None:
    client = make_client()

    values = listed(client)["small"]
    assert (values["state"], values["done"], values["total"]) == ("paused", 0, 4)
    finish(store, plan, 0, 1, 2)
    store.fail(plan.trials[3], "loss is nan")
    values = listed(client)["small"]
    assert (values["state"], values["done"], values["failed"]) == ("finished", 3, 1)
    assert (values["origin"], values["levels"], values["seeds"], values["report"]) == ("user", 2, 2, None)


def test_a_trial_that_a_killed_runner_left_is_not_running(make_client: Any, store: Store, plan: Plan) -> None:
    client = make_client()
    store.start(plan.trials[0])
    assert client.get("/api/studies/small").json()["state"] == "paused"
    with store.exclusive():
        store.start(plan.trials[0])
        assert client.get("/api/studies/small").json()["state"] == "running"
    assert client.get("/api/studies/small").json()["state"] == "paused"


def test_a_study_shows_its_table_its_curves_and_its_trials(
    make_client: Any, store: Store, plan: Plan
) -> None:
    finish(store, plan, 0, 1, 2)
    values = make_client().get("/api/studies/small").json()
    assert [row["label"] for row in values["rows"]] == ["8", "16"]
    assert sorted(row["missing"] for row in values["rows"]) == [0, 1]
    assert [len(curve["validation_error_percent"]) for curve in values["curves"]] == [2, 2]
    assert sorted(trial["state"] for trial in values["trials"]) == ["done"] * 3 + ["waiting"]
    results = store.results(plan.trials).values()
    best = max(result.final_validation.accuracy for result in results)
    assert values["best"]["validation_accuracy"] == best
    assert values["best"]["levels"].keys() == {"model.hidden.0"}
    assert values["seconds_left"] > 0
    assert values["verdicts"] == []


@pytest.mark.slow
def test_a_finished_study_has_verdicts(make_client: Any, store: Store, plan: Plan) -> None:
    finish(store, plan, 0, 1, 2, 3)
    client = make_client()
    values = client.get("/api/studies/small").json()
    assert values["state"] == "finished"
    assert values["verdicts"]
    assert values["seconds_left"] == 0
    assert client.get("/api/studies/small").json() == values


def test_a_library_study_that_was_never_run_is_described(client: Client) -> None:
    values = client.get("/api/studies/mlp-neurons").json()
    assert (values["state"], values["recipe"], values["rows"]) == ("new", "mlp", [])
    assert values["axes"][0]["path"] == "model.hidden.0"
    values = client.get("/api/studies/classroom").json()
    assert (values["kind"], values["studies"][0]) == ("collection", "mlp-neurons")


def test_following_tells_everything_so_far_and_ends_where_nobody_runs_it(
    make_client: Any, store: Store, plan: Plan
) -> None:
    finish(store, plan, 0, 1)
    store.fail(plan.trials[2], "out of memory")
    told = events(make_client(), "small")
    assert [event for event, _ in told] == ["trial", "trial", "trial", "progress", "end"]
    states = {values["id"]: values["state"] for event, values in told if event == "trial"}
    assert states == {plan.trials[0].id: "done", plan.trials[1].id: "done", plan.trials[2].id: "failed"}
    trial = next(values for _, values in told if values.get("id") == plan.trials[0].id)
    assert len(trial["history"]["validation_accuracy"]) == 2
    progress = told[-2][1]
    assert (progress["done"], progress["failed"], progress["total"]) == (2, 1, 4)
    assert told[-1][1] == {"state": "paused", "report": None, "message": None}


class Racing(Store):
    """A store in which a trial ends just behind the first look at it."""

    ends: Result | None = None

    def results(self, trials: Iterable[Trial]) -> dict[str, Result]:
        found = super().results(trials)
        self._race()
        return found

    def statuses(self, ids: Iterable[str], *, done: bool = True) -> dict[str, Status]:
        found = super().statuses(ids, done=done)
        self._race()
        return found

    def _race(self) -> None:
        if self.ends is not None:
            ends, self.ends = self.ends, None
            self.finish(ends)


def test_a_trial_that_ends_while_it_is_looked_at_is_told_with_its_history(
    store: Store, plan: Plan, tmp_path: Path
) -> None:
    view = StudyView(plan)
    store.start(plan.trials[0])
    with Racing(tmp_path / "store.sqlite") as racing:
        racing.ends = pretend(plan.trials[0], lambda _: None)
        view.refresh(racing)
        told = [values for _, state, values in view.ended({}) if state == "done"]
        assert all("history" in values for values in told)
        view.refresh(racing)
    assert [values["id"] for _, _, values in view.ended({})] == [plan.trials[0].id]
    assert view.in_state("running") == 0


def test_the_report_is_shown_without_scripts(make_client: Any, store: Store, tmp_path: Path) -> None:
    client = make_client()
    assert client.get("/studies/small/report").status_code == 404
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "small.html").write_text("<!doctype html><title>small</title>")
    answer = client.get("/studies/small/report")
    assert answer.text.startswith("<!doctype html>")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "script-src" not in answer.headers["content-security-policy"]
    assert client.get("/api/studies/small").json()["report"] == "/studies/small/report"


def listed(client: Client) -> dict[str, dict[str, Any]]:
    """The studies of the list, by key."""
    studies = client.get("/api/studies").json()["studies"]
    by_key = {study["key"]: study for study in studies}
    assert len(by_key) == len(studies)
    return by_key


def test_a_study_of_the_library_on_other_data_is_listed_by_itself_and_begins_no_collection(
    make_client: Any, store: Store, plan: Plan
) -> None:
    folder = plan.study.data.dataset
    other = plan_study("mlp-neurons", data=folder, seeds=1)
    store.save_plan(other)
    finish(store, other, *range(len(other.trials)))
    client = make_client()
    studies = listed(client)
    key = f"mlp-neurons@{other.fingerprint[:8]}"
    assert (studies["mlp-neurons"]["state"], studies["mlp-neurons"]["done"]) == ("new", 0)
    assert studies["mlp-neurons"]["data"] == "MNIST, handwritten digits"
    assert (studies["classroom"]["state"], studies["classroom"]["done"]) == ("new", 0)
    assert (studies[key]["state"], studies[key]["name"]) == ("finished", "mlp-neurons")
    assert studies[key]["data"] == f"{Path(folder).name} (SHA-256 {other.fingerprint[:8]})"
    assert client.get("/api/studies/mlp-neurons").json()["rows"] == []
    assert len(client.get(f"/api/studies/{key}").json()["rows"]) == 8
    assert [event for event, _ in events(client, key)] == ["trial"] * 8 + ["progress", "end"]
    assert client.get(f"/api/studies/mlp-neurons@{'0' * 8}").status_code == 404


def test_a_report_of_other_data_is_not_shown_as_that_of_the_studys_own(
    make_client: Any, store: Store, plan: Plan, tmp_path: Path
) -> None:
    other = plan_study("mlp-neurons", data=plan.study.data.dataset, seeds=1)
    store.save_plan(other)
    name = f"mlp-neurons-on-{Path(plan.study.data.dataset).name}-{other.fingerprint[:8]}.html"
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / name).write_text("<!doctype html><title>of other data</title>")
    client = make_client()
    key = f"mlp-neurons@{other.fingerprint[:8]}"
    assert listed(client)["mlp-neurons"]["report"] is None
    assert client.get("/studies/mlp-neurons/report").status_code == 404
    assert listed(client)[key]["report"] == f"/studies/{key}/report"
    assert "of other data" in client.get(f"/studies/{key}/report").text


def test_what_an_older_digitlab_kept_of_other_data_is_listed_as_of_other_data(
    make_client: Any, store: Store, plan: Plan
) -> None:
    other = plan_study("mlp-neurons", data=plan.study.data.dataset, seeds=1)
    unsaid = Plan.from_values({**other.to_values(), "own_data": None}, "plan")
    assert unsaid.own_data is None
    store.save_plan(unsaid)
    studies = listed(make_client())
    assert studies["mlp-neurons"]["state"] == "new"
    assert studies[f"mlp-neurons@{other.fingerprint[:8]}"]["state"] == "paused"


def test_a_copied_file_does_not_hide_the_librarys_study(make_client: Any, store: Store) -> None:
    library = resolve_study("mlp-neurons")
    axes = (Axis(path="model.hidden.0", values=(4, 8)),)
    copied = plan_study(library.model_copy(update={"axes": axes}))
    store.save_plan(copied)
    client = make_client()
    studies = listed(client)
    assert (studies["mlp-neurons"]["levels"], studies["mlp-neurons"]["state"]) == (8, "new")
    assert studies[f"mlp-neurons@{copied.fingerprint[:8]}"]["levels"] == 2
    store.save_plan(plan_study(library, seeds=5))
    studies = listed(client)
    assert (studies["mlp-neurons"]["seeds"], studies["mlp-neurons"]["state"]) == (5, "paused")
    assert f"mlp-neurons@{copied.fingerprint[:8]}" not in studies


@pytest.mark.parametrize("name", ["none", "..", "%2e%2e%2fstore", "small.html", "a" * 1000])
@pytest.mark.parametrize("path", ["/api/studies/{}", "/api/studies/{}/events", "/studies/{}/report"])
def test_a_study_that_is_not_there_is_404(client: Client, name: str, path: str) -> None:
    answer = client.get(path.format(name))
    assert answer.status_code == 404
    assert answer.json()["error"]


def test_the_form_is_the_specs_schema(client: Client) -> None:
    values = client.get("/api/studies/schema").json()
    assert values["schema"]["title"] == "Study"
    assert {"name", "question", "recipe", "axes"} <= set(values["schema"]["required"])
    assert set(values["examples"]) == set(study_names())
    assert values["recipes"] == list(recipe_names())


GOOD = {
    "name": "mine",
    "question": "Does it run?",
    "recipe": "mlp",
    "axes": [{"path": "model.hidden.0", "values": [8, 16]}],
}

BAD_ORDERS: dict[str, tuple[Any, int, str | None]] = {
    "nothing": ({}, 422, "study"),
    "a list": ([], 422, "study"),
    "a number": ({"study": 7}, 422, "study"),
    "an unknown name": ({"study": "none"}, 422, "study"),
    "a path": ({"study": "/etc/passwd.toml"}, 422, "study"),
    "an empty study": ({"study": {}}, 422, "name"),
    "an unknown key": ({"study": {**GOOD, "x": 1}}, 422, "x"),
    "a bad name": ({"study": {**GOOD, "name": "../x"}}, 422, "name"),
    "a name of the library": ({"study": {**GOOD, "name": "mlp-neurons"}}, 409, "name"),
    "a name of a collection": ({"study": {**GOOD, "name": "classroom"}}, 409, "name"),
    "a recipe's path": ({"study": {**GOOD, "recipe": "../x.toml"}}, 422, "recipe"),
    "a path among levels": (
        {"study": {**GOOD, "axes": [{"path": "recipe", "values": ["mlp", "/etc/x.toml"]}]}},
        422,
        "recipe",
    ),
    "a folder of data": ({"study": {**GOOD, "data": {"dataset": "/etc"}}}, 422, "data.dataset"),
    "an impossible level": (
        {"study": {**GOOD, "axes": [{"path": "model.hidden.0", "values": [0]}]}},
        422,
        "model.hidden.0",
    ),
    "a path that leads nowhere": ({"study": {**GOOD, "overrides": {"training.x": 1}}}, 422, "overrides"),
    "too many trials": ({"study": {**GOOD, "seeds": 10**6}}, 422, "seeds"),
    "no seeds": ({"study": "mlp-neurons", "seeds": 0}, 422, "seeds"),
    "half a worker": ({"study": "mlp-neurons", "workers": 0.5}, 422, "workers"),
    "a yes for workers": ({"study": "mlp-neurons", "workers": True}, 422, "workers"),
    "an option": ({"study": "mlp-neurons", "seeds": "1 --store /tmp/x"}, 422, "seeds"),
}


@pytest.mark.parametrize(("order", "status", "field"), BAD_ORDERS.values(), ids=BAD_ORDERS)
def test_what_cannot_be_run_is_refused_before_anything_starts(
    client: Client, order: Any, status: int, field: str | None
) -> None:
    answer = client.post("/api/studies", headers=token_of(client), json=order)
    assert answer.status_code == status
    assert "\n" not in answer.json()["error"]
    assert answer.json().get("field") == field
    assert client.get("/api/studies").json()["running"] is None


def test_another_study_of_the_same_name_is_not_overwritten(make_client: Any, store: Store) -> None:
    client = make_client()
    answer = client.post("/api/studies", headers=token_of(client), json={"study": {**GOOD, "name": "small"}})
    assert (answer.status_code, answer.json()["field"]) == (409, "name")


def test_a_file_of_anothers_in_the_place_of_a_new_study_is_not_overwritten(
    make_client: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "studies"
    folder.mkdir()
    other = Study.from_values({**GOOD, "name": "another"}, "test").to_toml()
    client = make_client()
    for content in ("notes = 'of somebody'", other):
        (folder / "mine.toml").write_text(content)
        answer = client.post("/api/studies", headers=token_of(client), json={"study": GOOD})
        assert (answer.status_code, answer.json()["field"]) == (409, "name")
        assert (folder / "mine.toml").read_text() == content


def test_a_study_that_was_run_on_other_data_keeps_its_name(
    make_client: Any, store: Store, plan: Plan
) -> None:
    mine = Study.from_values({**GOOD, "question": "Another question?"}, "test")
    store.save_plan(plan_study(mine, data=plan.study.data.dataset))
    client = make_client()
    answer = client.post("/api/studies", headers=token_of(client), json={"study": GOOD})
    assert (answer.status_code, answer.json()["field"]) == (409, "name")


def test_a_study_that_is_refused_while_another_runs_leaves_no_file(make_client: Any, tmp_path: Path) -> None:
    client = make_client()
    client.service.runs.running = "mlp-neurons"
    answer = client.post("/api/studies", headers=token_of(client), json={"study": GOOD})
    assert answer.status_code == 409
    assert "mlp-neurons" in answer.json()["error"]
    assert not (tmp_path / "studies").exists()


@pytest.mark.slow
def test_a_study_that_is_stopped_at_once_says_nothing_of_it(tmp_path: Path) -> None:
    async def start_and_stop() -> dict[str, str]:
        runs = StudyRuns(tmp_path / "store.sqlite")
        await runs.start("mlp-neurons", "mlp-neurons")
        await asyncio.sleep(0.05)
        runs.stop("mlp-neurons")
        while runs.running:
            await asyncio.sleep(0.05)
        return runs.messages

    with ThreadPoolExecutor(1) as thread:  # a browser of other tests keeps a loop running in this one
        assert thread.submit(lambda: asyncio.run(start_and_stop())).result() == {}


def test_what_does_not_run_cannot_be_stopped(client: Client) -> None:
    assert client.post("/api/studies/mlp-neurons/stop", headers=token_of(client)).status_code == 409


@pytest.mark.parametrize("name", ["none", "evil.toml", "--help"])
def test_what_is_not_there_cannot_be_resumed(client: Client, name: str) -> None:
    answer = client.post(f"/api/studies/{name}/resume", headers=token_of(client))
    assert answer.status_code == 404
    assert client.get("/api/studies").json()["running"] is None


def test_a_study_of_a_user_s_own_code_is_shown_and_never_started(
    make_client: Any, store: Store, plan: Plan, tmp_path: Path
) -> None:
    model = PythonModel(build="nets.py:f", code={"nets.py": "raise SystemExit\n"})
    recipe = Recipe(name="mine", model=model)
    axes = (Axis(path="training.epochs", values=(1, 2)),)
    own = plan.study.model_copy(update={"name": "own", "recipe": recipe, "overrides": {}, "axes": axes})
    store.save_plan(plan_study(own))
    described = tmp_path / "studies"
    described.mkdir()
    code = own.model_copy(update={"name": "described"}).to_toml()
    (described / "described.toml").write_text(code, "utf-8")
    client = make_client()
    for name in ("own", "described"):
        assert client.get(f"/api/studies/{name}").status_code == 200
        answer = client.post(f"/api/studies/{name}/resume", headers=token_of(client))
        assert answer.status_code == 422
        assert "built by a user's own code, which the service does not run" in answer.json()["error"]
    order = Study.from_values({**GOOD, "recipe": recipe.to_values(), "axes": [axes[0].to_values()]}, "test")
    answer = client.post("/api/studies", headers=token_of(client), json={"study": order.to_values()})
    assert answer.status_code == 422
    assert client.get("/api/studies").json()["running"] is None
