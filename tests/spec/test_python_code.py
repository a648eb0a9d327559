"""A user's own network: which code a recipe brings, and what is refused before anything runs."""

from __future__ import annotations

import subprocess
import sys
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from digitlab.spec import DataSpec, PythonModel, Recipe, TrainingSpec, Trial, resolve_recipe, resolve_study
from digitlab.spec.python_code import MAX_BYTES, capture
from digitlab.spec.study import with_settings

RECIPE = """
name = "mine"

[model]
family = "python"
build = "nets.py:lenet"
arguments = { width = 16 }
"""
FILES = {
    "nets.py": "import numpy\nimport blocks.conv\nfrom sizes import CLASSES\ndef lenet(width): ...\n",
    "sizes.py": "CLASSES = 10\n",
    "blocks/__init__.py": "",
    "blocks/conv.py": "from . import act\nfrom .deep.er import x\n",
    "blocks/act.py": "import json\n",
    "blocks/deep/er.py": "x = 1\n",
    "unused.py": "raise SystemExit\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {**FILES, "mine.toml": RECIPE}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path


def model_of(recipe: Recipe) -> PythonModel:
    assert isinstance(recipe.model, PythonModel)
    return recipe.model


def trial_of(recipe: Recipe) -> Trial:
    training = recipe.training.model_copy(update={"precision": "float32"})
    return Trial(model=recipe.model, training=training, data=DataSpec(fingerprint="0" * 64))


def test_a_recipe_brings_its_function_s_file_and_the_local_modules_that_are_imported(folder: Path) -> None:
    model = model_of(resolve_recipe(str(folder / "mine.toml")))
    assert model.build == "nets.py:lenet"
    assert set(model.code) == set(FILES) - {"unused.py"}
    assert model.code["sizes.py"] == "CLASSES = 10\n"
    assert capture(model, Path("/elsewhere")) == model


def test_the_id_covers_every_file_by_its_contents(folder: Path) -> None:
    before = trial_of(resolve_recipe(str(folder / "mine.toml")))
    (folder / "unused.py").write_text("x = 1\n", "utf-8")
    assert trial_of(resolve_recipe(str(folder / "mine.toml"))).id == before.id
    (folder / "blocks/act.py").write_text("import math\n", "utf-8")
    after = trial_of(resolve_recipe(str(folder / "mine.toml")))
    assert after.id != before.id
    assert Trial.from_json(after.to_json()) == after


def test_a_study_s_recipe_finds_its_code_beside_the_study(folder: Path) -> None:
    study = """
name = "widths"
question = "How wide?"
recipe = "mine.toml"

[[axes]]
path = "model.arguments.width"
values = [8, 16]
"""
    (folder / "widths.toml").write_text(study, "utf-8")
    recipe = resolve_study(str(folder / "widths.toml")).recipe
    assert isinstance(recipe, Recipe)
    assert "sizes.py" in model_of(recipe).code


def test_a_function_of_an_installed_package_brings_its_version() -> None:
    model = capture(PythonModel(build="keras.applications:MobileNet"))
    assert model.packages == {"keras": version("keras")}
    assert model.code == {}


@pytest.mark.parametrize(
    ("build", "message"),
    [
        ("lenet", "model.build: expected FILE.py:FUNCTION, MODULE:FUNCTION or the name of an installed *"),
        ("gone.py:lenet", "model.build: *gone.py: cannot be read: No such file or directory"),
        ("no_such_module:lenet", "model.build: expected a module beside the recipe or of an installed *"),
        ("bad.py:lenet", "model.build: *bad.py, line 1: expected Python: *"),
        ("large.py:lenet", f"model.build: expected files of at most {MAX_BYTES:,} bytes together, *"),
        ("latin.py:lenet", "model.build: *latin.py: cannot be read: expected text in UTF-8"),
    ],
)
def test_code_that_cannot_be_brought_is_refused(build: str, message: str, folder: Path, refusal: Any) -> None:
    (folder / "bad.py").write_text("def (:\n", "utf-8")
    (folder / "large.py").write_text("#" * (MAX_BYTES + 1), "utf-8")
    (folder / "latin.py").write_bytes(b"# \xe9\n")
    assert fnmatch(refusal(capture, PythonModel(build=build), folder), message)


def test_a_trial_without_its_code_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected the code of model\.build"):
        Trial(model=PythonModel(build="nets.py:lenet"), training=TrainingSpec(), data=DataSpec())


SCRIPT = """
import keras
import sizes
from keras import layers

WIDTH = 5
OPEN = open(__file__)

def piece(inputs, width):
    return layers.Dense(width)(inputs)

def net(width=WIDTH):
    images = keras.Input((28, 28))
    return keras.Model(images, piece(layers.Flatten()(images), sizes.CLASSES))

images = OPEN  # the name of a local variable of net
i = 5

def even(n):
    return n == 0 or odd(n - 1)

def odd(n):
    return n != 0 and even(n - 1)

def with_file():
    return OPEN

def outer():
    inner_width = 3
    def inner():
        return inner_width
    return inner

from digitlab.errors import SpecError
from digitlab.spec import model_from_function

model = model_from_function(net, width=4)
print(sorted(model.code), model.arguments, model.build)
assert "images" not in model.code["notebook.py"].split("def net")[0]
assert "i = 5" not in model.code["notebook.py"]
print(sorted(model_from_function(even).code))
space = {}
exec(compile(model.code["notebook.py"], "notebook", "exec"), space)
print(space["net"]().output_shape)
for function in (with_file, outer(), lambda: 3, print):
    try:
        print(model_from_function(function))
    except SpecError as error:
        print(error)
"""


@pytest.mark.slow  # it imports Keras
def test_a_function_of_a_script_brings_what_it_uses(folder: Path) -> None:
    (folder / "script.py").write_text(SCRIPT, "utf-8")
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, check=True
    )
    first, mutual, shape, file, closure, nameless, builtin = done.stdout.splitlines()
    assert first == "['notebook.py', 'sizes.py'] {'width': 4} notebook.py:net"
    assert mutual == "['notebook.py']"
    assert shape == "(None, 10)"
    assert "uses OPEN, a value of type TextIOWrapper, which cannot be sent to other processes" in file
    assert "inner, which uses variables of a function around it" in closure
    assert "expected a function with a name" in nameless
    assert "expected a function with a name" in builtin


def test_a_function_of_another_file_than_was_read_is_refused(folder: Path) -> None:
    recipe = resolve_recipe(str(folder / "mine.toml"))
    (folder / "other.py").write_text("def f(): ...\n", "utf-8")
    changed = with_settings(recipe, {"model.build": "other.py:f"}, "test")
    with pytest.raises(ValueError, match=r"expected a function of blocks/__init__\.py, .*received 'other"):
        trial_of(changed)
    assert trial_of(with_settings(recipe, {"model.build": "nets.py:g"}, "test")).id != trial_of(recipe).id
