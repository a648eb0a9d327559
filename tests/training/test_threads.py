"""Several threads, each with its part of every batch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping

import pytest

pytestmark = pytest.mark.slow

TRAINING = """
import hashlib, json, sys
from digitlab.training import train

trained = train(sys.argv[1], settings=json.loads(sys.argv[3]), threads=int(sys.argv[2]))
weights = b"".join(weight.tobytes() for weight in trained.model.get_weights())
print(json.dumps([hashlib.sha256(weights).hexdigest(), trained.result.history[-1].loss]))
"""


def train_in_a_process(recipe: str, threads: int, settings: Mapping[str, object]) -> tuple[str, float]:
    command = [sys.executable, "-c", TRAINING, recipe, str(threads), json.dumps(dict(settings))]
    digest, loss = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=300).stdout)
    return digest, loss


@pytest.mark.parametrize("threads", [2, 3])
def test_several_threads_give_the_same_weights_and_loss_twice(threads: int) -> None:
    settings = {
        "training.epochs": 1,
        "model.convolutions.0.filters": 2,
    }  # with dropout, whose masks they share
    first, again = (train_in_a_process("cnn", threads, settings) for _ in range(2))
    assert first == again


def test_the_parts_of_a_batch_add_up_to_what_one_thread_sees() -> None:
    settings = {"training.epochs": 1, "training.batch_size": 201}  # which two do not share evenly
    losses = [train_in_a_process("mlp", threads, settings)[1] for threads in (1, 2, 3)]
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-3)
