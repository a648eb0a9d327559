"""Every peer trains on a few digits and prints what the benchmark reads; ours do, too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from paths import FOLDER, PEERS, peers_installed, peers_python
from training import digits_file
from training_cases import PUBLISHED_PEERS, Peer

from digitlab.spec import resolve_recipe

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def digits() -> Iterator[Path]:
    with digits_file() as path:
        yield path


def said_by(command: list[str]) -> dict:
    # Threads that wait for each other on cores that others keep busy take minutes for seconds of work.
    alone = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=alone, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check_contract(said: dict) -> None:
    assert set(said) == {"import_seconds", "compile_seconds", "epochs", "versions"}
    assert said["import_seconds"] > 0
    assert said["compile_seconds"] > 0
    seconds = [end["seconds"] for end in said["epochs"]]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0
    assert said["epochs"][-1]["accuracy"] > 0.3  # a guess is right once in ten


@pytest.mark.parametrize("peer", PUBLISHED_PEERS, ids=lambda peer: peer.name)
def test_a_peer_prints_what_the_benchmark_reads(peer: Peer, digits: Path) -> None:
    if peer.own_environment and not peers_installed():
        pytest.skip("python -m benchmarks training --install-peers  installs it")
    python = str(peers_python()) if peer.own_environment else sys.executable
    asked = ["--data", str(digits), "--seed", "1", "--epochs", "2", "--images", "2000"]
    said = said_by([python, str(PEERS / peer.script), *asked])
    check_contract(said)
    assert said["epochs"][-1]["epoch"] == 2
    assert "python" in said["versions"]


def test_ours_print_the_same() -> None:
    recipe = resolve_recipe("mlp")
    short = recipe.model_copy(update={"training": recipe.training.model_copy(update={"epochs": 1})})
    program = str(FOLDER / "train_once.py")
    said = said_by([sys.executable, program, "--recipe", short.to_json(), "--seed", "1"])
    check_contract(said)
    assert len(said["epochs"]) == 1
