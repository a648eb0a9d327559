"""Who takes part: our recipes, the peers that are installed, and a line for each that cannot."""

from __future__ import annotations

import shutil
from pathlib import Path

import paths
import pytest
from training_cases import OUR_RECIPES, PUBLISHED_PEERS, select

from digitlab.errors import SpecError
from digitlab.spec import resolve_recipe


def file_of(folder: Path, **training: object) -> str:
    """A recipe like the mlp, in a file of its own."""
    recipe = resolve_recipe("mlp")
    changed = recipe.model_copy(update={"training": recipe.training.model_copy(update=training)})
    path = folder / "mine.toml"
    path.write_text(changed.to_toml())
    return str(path)


def test_each_number_of_threads_is_a_case_of_its_own() -> None:
    contestants = select(["mlp", "cnn"], [1, 2]).cases
    names = ["mlp, 1 thread", "mlp, 2 threads", "cnn, 1 thread", "cnn, 2 threads"]
    assert [each.name for each in contestants] == names
    assert len({each.key for each in contestants}) == 4
    assert all(each.ours for each in contestants)


def test_a_changed_setting_is_another_case_and_a_changed_description_is_not(tmp_path: Path) -> None:
    def key(recipe: str) -> str:
        return select([recipe], [1]).cases[0].key

    path = file_of(tmp_path)
    same = key(path)
    Path(path).write_text(Path(path).read_text().replace("description = ", 'description = "New." # '))
    assert key(path) == same
    assert key(file_of(tmp_path, epochs=11)) != same


def test_a_recipe_named_twice_takes_part_once() -> None:
    assert [each.name for each in select(["mlp", "mlp"], [1]).cases] == ["mlp, 1 thread"]


def test_two_recipes_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="received two called mlp; change the line"):
        select(["mlp", file_of(tmp_path, epochs=11)], [1])


def test_the_runs_of_a_peer_outlive_a_change_of_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    copied = Path(shutil.copytree(paths.PEERS, tmp_path / "peers"))
    monkeypatch.setattr("training_cases.PEERS", copied)

    def key() -> str:
        return select(["keras-example"], [1]).cases[0].key

    before = key()
    (copied / "torch_example.py").write_text("another")
    (copied / ".DS_Store").write_bytes(b"\xff")
    assert key() == before
    (copied / "contract.py").write_text("another")
    assert key() != before


def test_a_peer_that_is_not_installed_is_a_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "_READY", tmp_path / "nothing")
    selection = select(["pytorch-example", "keras-example"], [1])
    assert [each.name for each in selection.cases] == ["keras-example"]
    assert selection.skipped == (
        "pytorch-example: it is not installed:  python -m benchmarks training --install-peers  installs it",
    )


def test_peers_of_other_requirements_are_not_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(paths, "_READY", tmp_path / "ready")
    (tmp_path / "ready").write_text("torch==1.0\n")
    assert not paths.peers_installed()
    (tmp_path / "ready").write_text((paths.PEERS / "requirements.txt").read_text())
    assert paths.peers_installed()


def test_the_keras_example_runs_in_our_precision_too_where_that_is_another(tmp_path: Path) -> None:
    recipe = file_of(tmp_path, precision="mixed_bfloat16")
    selection = select([recipe, "keras-example"], [1])
    names = ["mlp, 1 thread", "keras-example", "keras-example, mixed_bfloat16"]
    assert [each.name for each in selection.cases] == names
    assert selection.cases[-1].command[-1] == "mixed_bfloat16"
    plain = select([file_of(tmp_path, precision="float32"), "keras-example"], [1])
    assert [each.name for each in plain.cases] == names[:2]
    assert plain.skipped == ("keras-example in our precision: ours is float32 here, as its own",)


def test_without_names_everybody_takes_part_or_is_a_line() -> None:
    selection = select([], [1])
    told = " ".join([*(each.name for each in selection.cases), *selection.skipped])
    for name in (*OUR_RECIPES, *(peer.name for peer in PUBLISHED_PEERS)):
        assert name in told


def test_a_name_of_nobody_is_refused_with_all_names() -> None:
    with pytest.raises(SpecError, match=r"'tensor': expected one of .*mlp.* or a peer: keras-example"):
        select(["tensor"], [1])


def test_every_peer_has_its_script() -> None:
    assert [peer.name for peer in PUBLISHED_PEERS if not (paths.PEERS / peer.script).is_file()] == []
