"""Which engine trains."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from digitlab.errors import MissingExtraError, UserError
from digitlab.training import backend as choice
from digitlab.training import train
from digitlab.training.backend import choose_engine

Machine = Callable[..., None]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Pretend what is installed, what JAX and TensorFlow see, and what backend Keras has already."""

    def pretend(modules: str, jax: str, tensorflow: bool, backend: str | None = None) -> None:
        found = modules.split()
        finder = SimpleNamespace(find_spec=lambda name: name if name in found else None)
        monkeypatch.setattr(choice, "importlib", SimpleNamespace(util=finder))
        monkeypatch.setattr(choice, "start_jax", lambda threads: jax)
        monkeypatch.setattr(choice, "tensorflow_sees_accelerator", lambda: tensorflow)
        monkeypatch.setattr(choice, "chosen_backend", lambda: backend)

    return pretend


@pytest.mark.parametrize(
    ("modules", "jax", "tensorflow", "expected"),
    [
        ("jax jax_plugins", "gpu", False, "jax"),
        ("jax libtpu", "tpu", False, "jax"),
        ("jax jax_plugins", "gpu", True, "tensorflow"),
        ("jax jax_plugins", "cpu", False, "tensorflow"),
        ("jax", "gpu", False, "tensorflow"),
        ("", "gpu", False, "tensorflow"),
    ],
)
def test_auto_is_jax_where_jax_alone_sees_an_accelerator(
    modules: str, jax: str, tensorflow: bool, expected: str, machine: Machine
) -> None:
    machine(modules, jax, tensorflow)
    assert choose_engine("auto") == expected


def test_auto_stays_with_the_backend_that_keras_has(machine: Machine) -> None:
    machine("jax jax_plugins", "gpu", False, backend="tensorflow")
    assert choose_engine("auto") == "tensorflow"
    machine("jax", "cpu", False, backend="jax")
    assert choose_engine("auto") == "jax"


def test_what_is_asked_for_is_chosen(machine: Machine) -> None:
    machine("jax jax_plugins", "gpu", False)
    assert (choose_engine("tensorflow"), choose_engine("jax")) == ("tensorflow", "jax")


def test_an_unknown_engine_is_refused_in_one_line() -> None:
    with pytest.raises(UserError, match="expected auto, tensorflow or jax, received 'torch'"):
        train("mlp", engine="torch")  # type: ignore[arg-type]


def run(code: str) -> subprocess.CompletedProcess[str]:
    fresh = {name: value for name, value in os.environ.items() if name not in ("KERAS_BACKEND", "NPROC")}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False, env=fresh
    )


@pytest.mark.slow
def test_jax_that_is_not_installed_is_one_line_with_the_command_that_installs_it() -> None:
    done = run(
        "import sys\n"
        "sys.modules['jax'] = None  # as if it were not installed\n"
        "sys.argv = ['digitlab', 'train', 'mlp', '--engine', 'jax', '--out', 'nowhere']\n"
        "from digitlab.__main__ import main\nmain()"
    )
    assert done.returncode == 2
    assert done.stderr == f"digitlab: {MissingExtraError('jax', 'jax')}\n"
    assert 'pip install -e ".[jax]"' in done.stderr


@pytest.mark.slow
def test_jax_begins_with_the_threads_asked_for_and_refuses_others() -> None:
    done = run(
        "from digitlab.training.process import environment, prepare_jax as p\n"
        "p(1); p(1); p()\nimport keras; print(keras.config.backend())\n"
        "print(*sorted({'device', 'jax', 'jaxlib', 'tensorflow-cpu'} & set(environment())))\np(2)"
    )
    assert done.stdout == "jax\ndevice jax jaxlib\n"
    assert "expected a fresh process to train on 2 threads" in done.stderr.strip().splitlines()[-1]


@pytest.mark.slow
def test_a_process_on_tensorflow_refuses_jax_in_one_line() -> None:
    done = run(
        "from digitlab.training.process import prepare_jax, prepare_process as p; p(1); prepare_jax(1)"
    )
    assert "expected Keras on JAX, received Keras on tensorflow" in done.stderr.strip().splitlines()[-1]
