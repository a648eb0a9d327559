from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from digitlab.spec import Recipe, Study
from digitlab.spec.library import (
    MAX_BYTES,
    recipe_names,
    resolve_collection,
    resolve_recipe,
    resolve_study,
    row_recipe_names,
    study_names,
)
from real_digits import load_once


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_a_users_recipe_file_is_read_like_one_of_the_package(suffix: str, tmp_path: Path) -> None:
    recipe = resolve_recipe("deep-cnn")
    file = tmp_path / f"mine{suffix}"
    file.write_text(recipe.to_toml() if suffix == ".toml" else recipe.to_json(), "utf-8")
    assert resolve_recipe(str(file)) == recipe


@pytest.mark.parametrize("suffix", [".TOML", ".Toml", ".JSON", ".Json"])
def test_a_suffix_in_capital_letters_is_one_of_a_file(suffix: str, tmp_path: Path) -> None:
    recipe, study = resolve_recipe("cnn"), resolve_study("mlp-neurons")
    is_toml = suffix.lower() == ".toml"
    (tmp_path / f"R{suffix}").write_text(recipe.to_toml() if is_toml else recipe.to_json(), "utf-8")
    (tmp_path / f"S{suffix}").write_text(study.to_toml() if is_toml else study.to_json(), "utf-8")
    assert resolve_recipe(str(tmp_path / f"R{suffix}")) == recipe
    assert resolve_study(str(tmp_path / f"S{suffix}")) == study
    beside = study.model_copy(update={"recipe": f"R{suffix}"})
    (tmp_path / f"B{suffix}").write_text(beside.to_toml() if is_toml else beside.to_json(), "utf-8")
    assert resolve_study(str(tmp_path / f"B{suffix}")).recipe == recipe


def test_a_blank_behind_a_files_name_is_shown_where_there_is_no_such_file(refusal: Any) -> None:
    message = refusal(resolve_recipe, "mine.toml ")
    assert message == "recipe 'mine.toml ': cannot be read: No such file or directory; check the path"


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_a_users_study_file_is_read_like_one_of_the_package(suffix: str, tmp_path: Path) -> None:
    study = resolve_study("mlp-neurons")
    file = tmp_path / f"mine{suffix}"
    file.write_text(study.to_toml() if suffix == ".toml" else study.to_json(), "utf-8")
    assert resolve_study(str(file)) == study


@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_the_line_ends_and_marks_of_every_editor_are_read(
    begin: bytes, newline: bytes, tmp_path: Path
) -> None:
    recipe = resolve_recipe("cnn")
    for suffix, text in ((".toml", recipe.to_toml()), (".json", json.dumps(recipe.to_values(), indent=1))):
        file = tmp_path / f"mine{suffix}"
        file.write_bytes(begin + text.encode().replace(b"\n", newline))
        assert resolve_recipe(str(file)) == recipe


def test_a_recipe_or_study_that_is_one_already_is_given_back() -> None:
    recipe, study = resolve_recipe("mlp"), resolve_study("mlp-neurons")
    assert resolve_recipe(recipe) is recipe
    assert resolve_study(study) is study


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "MLP", "mlp ", "mpl", "mlp.tml", "recipes/mlp", "../recipes/mlp", ".toml", "/", "~"],
)
def test_a_name_that_is_none_is_answered_with_those_that_are(name: str, refusal: Any) -> None:
    recipes = ", ".join((*row_recipe_names(), *recipe_names()))
    end = "or the path of a .toml or .json file"
    assert refusal(resolve_recipe, name) == f"recipe {name!r}: expected one of {recipes}, {end}"
    message = refusal(resolve_study, name)
    assert message.startswith(f"study {name!r}: expected a name that `digitlab study list` shows")
    assert message.endswith(f", {end}")


def test_a_wrong_name_of_a_study_is_answered_with_those_that_it_resembles(refusal: Any) -> None:
    message = refusal(resolve_study, "mlp-neuron")
    assert "shows (mlp-neurons" in message


@pytest.mark.parametrize("name", ["../recipes/mlp.toml", "mlp.toml", "no/such/folder/x.json"])
def test_a_file_that_is_not_there_is_named(
    name: str, refusal: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    message = refusal(resolve_recipe, name)
    assert message == f"recipe {name!r}: cannot be read: No such file or directory; check the path"


def test_a_file_in_the_folder_does_not_hide_a_name_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mlp").write_text("not TOML at all", "utf-8")
    assert resolve_recipe("mlp").name == "mlp"


def test_a_folder_is_no_file(tmp_path: Path, refusal: Any) -> None:
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    assert "cannot be read: Is a directory" in refusal(resolve_study, str(folder))


def test_a_path_that_no_system_can_open_is_refused(refusal: Any) -> None:
    assert "cannot be read: embedded null byte" in refusal(resolve_recipe, "a\0.toml")
    assert "No such file" in refusal(resolve_recipe, "two\nlines.toml")


def test_a_loop_of_links_is_refused(tmp_path: Path, refusal: Any) -> None:
    loop = tmp_path / "loop.toml"
    loop.symlink_to(loop)
    assert "cannot be read: " in refusal(resolve_recipe, str(loop))


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_a_huge_file_is_refused_after_its_first_megabyte(suffix: str, tmp_path: Path, refusal: Any) -> None:
    file = tmp_path / f"huge{suffix}"
    with file.open("wb") as opened:
        opened.write(b"#" * 100)
        opened.truncate(1 << 32)  # four gigabytes, all hole
    assert "expected at most 1,000,000 bytes" in refusal(resolve_recipe, str(file))
    assert file.stat().st_size > MAX_BYTES


@pytest.mark.parametrize("suffix", [".toml", ".json"])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", id="a picture"),
        pytest.param("name = 'Größe'".encode("latin-1"), id="Latin-1"),
        pytest.param("name = 'x'".encode("utf-16"), id="UTF-16"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\0" * 100, id="zeros"),
        pytest.param(b"{", id="an open brace"),
        pytest.param(b"name = ", id="half a line"),
        pytest.param(b"3", id="a number"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="an empty list"),
        pytest.param(b"x = " + b"[" * 100_000, id="a TOML list a hundred thousand deep"),
        pytest.param(b"[" * 100_000, id="a JSON list a hundred thousand deep"),
        pytest.param(b"x = " + b"1" * 5000, id="a TOML number of five thousand digits"),
        pytest.param(b'{"seeds": ' + b"1" * 5000 + b"}", id="a JSON number of five thousand digits"),
        pytest.param(b"x = 0x" + b"f" * 5000, id="a hexadecimal number of five thousand digits"),
        pytest.param(b"x = 1\nx = 2", id="one key twice"),
        pytest.param(b'{"name": NaN, "model": Infinity}', id="JSON that is no number"),
    ],
)
def test_a_file_that_is_no_recipe_and_no_study_is_refused_in_one_line(
    content: bytes, suffix: str, tmp_path: Path, refusal: Any
) -> None:
    file = tmp_path / f"what{suffix}"
    file.write_bytes(content)
    assert refusal(resolve_recipe, str(file)).startswith(f"recipe {str(file)!r}: ")
    assert refusal(resolve_study, str(file)).startswith(f"study {str(file)!r}: ")


def test_a_recipe_is_no_study_and_a_study_no_recipe(tmp_path: Path, refusal: Any) -> None:
    recipe, study = tmp_path / "recipe.toml", tmp_path / "study.toml"
    recipe.write_text(resolve_recipe("mlp").to_toml(), "utf-8")
    study.write_text(resolve_study("mlp-neurons").to_toml(), "utf-8")
    assert "question: this setting is missing" in refusal(resolve_study, str(recipe))
    assert "model: this setting is missing" in refusal(resolve_recipe, str(study))


def test_overrides_nested_beyond_measure_are_refused(refusal: Any) -> None:
    values = json.loads(resolve_study("mlp-neurons").to_json())
    for depth in (300, 800):
        text = json.dumps(values).replace(
            '"seeds"', '"overrides": ' + '{"a":' * depth + "1" + "}" * depth + ', "seeds"'
        )
        message = refusal(Study.from_json, text, "here")
        assert message.startswith("here: overrides")


def test_a_value_that_is_too_long_to_be_read_is_shortened_in_the_message(refusal: Any) -> None:
    values = {"name": "x" * 100_000, "model": {"family": "mlp"}}
    assert "..." in refusal(Recipe.from_values, values, "here")
    values = {"name": "x", "model": {"family": "mlp", "hidden": {str(n): [n] * n for n in range(300)}}}
    assert "..." in refusal(Recipe.from_values, values, "here")


def test_a_recipe_file_is_looked_for_beside_the_study_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "wide.toml").write_text(resolve_recipe("mlp").model_copy(update={"name": "wide"}).to_toml())
    study = resolve_study("mlp-neurons").model_copy(update={"recipe": "wide.toml", "name": "mine"})
    (tmp_path / "mine.toml").write_text(study.to_toml())
    found = resolve_study(str(tmp_path / "mine.toml")).recipe
    assert not isinstance(found, str)
    assert found.name == "wide"


@pytest.mark.parametrize("name", study_names())
def test_every_study_of_the_package_can_be_planned(name: str) -> None:
    from digitlab.studies import plan_study

    plan = plan_study(name, load=load_once)
    assert plan.study.name == name
    assert plan.study.question.endswith("?")
    assert plan.reference in {cell.levels for cell in plan.cells}


def test_the_classroom_runs_every_study_of_its_networks_and_shares_their_trainings() -> None:
    from digitlab.spec import minimal_runs
    from digitlab.studies import plan_study

    classroom = resolve_collection("classroom")
    others = {
        *resolve_collection("best-parts").studies,
        *resolve_collection("precision").studies,
        "best",
        "optimizers",
        "mlp-training-size",
        "augmentation-by-training-size",
    }
    assert set(classroom.studies) == set(study_names()) - others
    plans = [plan_study(name, seeds=1, load=load_once) for name in classroom.studies]
    asked = [trial for plan in plans for trial in plan.trials]
    trained = minimal_runs(asked)
    # 15 perceptrons, 5 widths of the CNN for 20 epochs, 4 other kernels, the deeper CNN, LeNet-5 and a ResNet
    assert (len(asked), len({trial.id for trial in asked}), len(trained)) == (61, 47, 27)


def test_an_axis_over_recipes_takes_the_network_and_the_training_of_each() -> None:
    from digitlab.studies import plan_study

    plan = plan_study("architectures", seeds=1, load=load_once)
    models = [cell.trials[0].model for cell in plan.cells]
    assert models == [resolve_recipe(name).model for name in ("mlp", "lenet-5", "cnn", "deep-cnn", "resnet")]
    assert {trial.training.epochs for trial in plan.trials} == {10}


def test_a_recipe_that_an_axis_names_must_be_there(refusal: Any, tmp_path: Path) -> None:
    from digitlab.studies import plan_study

    study = resolve_study("architectures").to_values()
    study["axes"][0]["values"] = ["cnn", "mpl"]
    (tmp_path / "mine.json").write_text(Study.from_values(study, "test").to_json())
    assert "recipe 'mpl': expected one of" in refusal(plan_study, str(tmp_path / "mine.json"))


def test_recipe_files_on_an_axis_are_looked_for_beside_the_study_that_names_them(tmp_path: Path) -> None:
    from digitlab.studies import plan_study

    wide = resolve_recipe("mlp").to_values() | {"name": "wide", "model": {"family": "mlp", "hidden": [300]}}
    (tmp_path / "wide.toml").write_text(Recipe.from_values(wide, "test").to_toml())
    study = resolve_study("architectures").to_values() | {"name": "mine"}
    study["axes"] = [{"path": "recipe", "values": ["mlp", "wide.toml"]}]
    (tmp_path / "mine.toml").write_text(Study.from_values(study, "test").to_toml())
    plan = plan_study(str(tmp_path / "mine.toml"), seeds=1)
    assert [cell.trials[0].recipe for cell in plan.cells] == ["mlp", "wide"]
