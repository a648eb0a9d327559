"""The laws of `Engine` on JAX, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
# Every law on one network or the other: XLA compiles for longer than these train.
LAWS = "(everything and not rest and not float32) or (bfloat16 and mlp and (identical or rest or float32))"


def test_the_jax_engine_keeps_the_laws_too(tmp_path: Path) -> None:
    quick = {
        "KERAS_BACKEND": "jax",
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path),  # each program is compiled once
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "XLA_FLAGS": "--xla_backend_optimization_level=1",
    }
    # Keras's own way from a variable of JAX to NumPy, which NumPy 2 would have otherwise.
    ignored = "ignore::DeprecationWarning:keras.src.backend.common.variables"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", ignored]
    command += ["-k", LAWS, str(HERE / "test_engine_contract.py")]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=600, check=False, env=os.environ | quick
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
