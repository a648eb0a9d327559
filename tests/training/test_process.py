"""What a process is prepared for, each case in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from digitlab.training import process


@pytest.mark.parametrize(
    ("flags", "vendor", "expected"),
    [
        ("avx512f", "GenuineIntel", "float32"),
        ("avx512f avx512_bf16", "GenuineIntel", "float32"),
        ("avx512f avx512_bf16 amx_bf16", "GenuineIntel", "mixed_bfloat16"),
        ("avx512f avx512_bf16", "AuthenticAMD", "mixed_bfloat16"),
        ("", "", "float32"),
    ],
)
def test_auto_precision_follows_what_the_processor_is_faster_with(
    flags: str, vendor: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"vendor_id\t: {vendor}\nmodel name\t: A processor\nflags\t\t: fpu {flags}\n"
    monkeypatch.setattr(process, "_cpuinfo", lambda: text)
    monkeypatch.setattr(process, "_bfloat16_gpu", lambda: False)
    assert process.native_precision.__wrapped__() == expected
    assert process.cpu_name() == "A processor"


def test_the_environment_names_versions_and_processor() -> None:
    found = process.environment()
    assert {"digitlab", "keras", "numpy", "python", "cpu", "cores", "system"} <= set(found)


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.slow
def test_tensorflow_starts_quietly_with_the_threads_asked_for() -> None:
    done = run(
        "from digitlab.training.process import prepare_process as p; p(1); import tensorflow as tf; "
        "print(tf.config.threading.get_intra_op_parallelism_threads()); p(1); p()"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


@pytest.mark.slow
def test_a_process_that_began_with_other_threads_is_refused_in_one_line() -> None:
    done = run("from digitlab.training.process import prepare_process as p; p(1); p(2)")
    last = done.stderr.strip().splitlines()[-1]
    assert "expected a fresh process to train on 2 threads" in last


@pytest.mark.slow
def test_keras_on_another_backend_is_refused_in_one_line() -> None:
    done = run(
        "import os; os.environ['KERAS_BACKEND'] = 'numpy'\n"
        "from digitlab.training.process import prepare_process\nprepare_process(1)"
    )
    assert "expected Keras on TensorFlow, received Keras on numpy" in done.stderr.strip().splitlines()[-1]
