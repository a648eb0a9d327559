"""Setup of a process for training: backend, threads and environment variables of TensorFlow and JAX."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from digitlab.errors import MissingExtraError, UserError


def prepare_process(threads: int | None = None, *, split: bool = False) -> None:
    """Prepare this process for Keras on TensorFlow with a number of threads.

    Call it before Keras is imported; the number of threads of a process cannot be changed later.

    Args:
        threads: number of threads, 1 or more; None keeps TensorFlow's default, or that of an earlier call.
        split: whether threads share each operation, as for one large network, instead of running operations
            side by side; sums may then differ from run to run.

    Raises:
        MissingExtraError: TensorFlow or Keras is not installed.
        UserError: the process has started with another backend or number of threads.
    """
    require_libraries()
    _require_backend("tensorflow")
    if "tensorflow" in sys.modules:
        _start(threads, split)
    else:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        with _stderr_only_on_failure():
            _start(threads, split)


def prepare_jax(threads: int | None = None) -> None:
    """Prepare this process for Keras on JAX, with a number of threads where JAX computes on the processor.

    Call it before Keras and JAX are imported; the number of threads of a process cannot be changed later.

    Args:
        threads: number of threads, 1 or more; None keeps JAX's default, or that of an earlier call.

    Raises:
        MissingExtraError: JAX or Keras is not installed.
        UserError: the process has started with another backend or number of threads.
    """
    require_libraries("jax")
    _require_backend("jax")
    if start_jax(threads) == "cpu" and threads not in (None, _jax_threads()):
        raise UserError(
            f"expected a fresh process to train on {threads} threads, received one in which JAX is "
            "initialized otherwise; train before you use JAX, or in a separate process"
        )


def start_jax(threads: int | None = None) -> str:
    """Start JAX, if it has not started yet, and return its platform: `cpu`, `gpu` or `tpu`.

    Args:
        threads: number of threads that compute where the platform is `cpu`.
    """
    if "jax" not in sys.modules:
        if threads is not None:
            os.environ["NPROC"] = str(threads)  # XLA reads it once, as it starts
        # So that equal trials yield equal weights; placed first, so that a user's own flags win.
        flags = "--xla_gpu_deterministic_ops=true", os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = " ".join(flags).strip()
    import jax

    return jax.default_backend()


def _jax_threads() -> int:
    return int(os.environ.get("NPROC") or available_cores())


def chosen_backend() -> str | None:
    """Return the backend that Keras has in this process or is set to have; None where neither is decided."""
    if "keras" in sys.modules:
        import keras

        return keras.config.backend()
    return os.environ.get("KERAS_BACKEND")


def _require_backend(wanted: str) -> None:
    backend = chosen_backend()
    if backend is None:
        backend = os.environ["KERAS_BACKEND"] = wanted
    if backend != wanted:
        name = {"tensorflow": "TensorFlow", "jax": "JAX"}[wanted]
        raise UserError(
            f"expected Keras on {name}, received Keras on {backend}; unset KERAS_BACKEND and start again"
        )


def require_libraries(backend: str = "tensorflow") -> None:
    """Check that the libraries for training are installed, without importing them.

    Args:
        backend: Keras backend, `tensorflow` or `jax`.

    Raises:
        MissingExtraError: the backend or Keras is missing.
    """
    for module, extra in ((backend, "jax" if backend == "jax" else "train"), ("keras", "train")):
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError(module, extra)


@contextmanager
def _stderr_only_on_failure() -> Iterator[None]:
    """Hold back what TensorFlow's C++ code writes at its start, before it reads its log level."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _start(threads: int | None, split: bool) -> None:
    import tensorflow as tf

    if threads is not None:
        _set_threads(*((threads, 1) if split else (1, threads)))
    tf.constant(0)


def _set_threads(within: int, beside: int) -> None:
    """Set the number of threads within an operation, and of operations run at the same time."""
    import tensorflow as tf

    threading = tf.config.threading
    found = threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads()
    if found == (within, beside):
        return
    try:
        threading.set_intra_op_parallelism_threads(within)
        threading.set_inter_op_parallelism_threads(beside)
    except RuntimeError:
        raise UserError(
            f"expected a fresh process to train on {max(within, beside)} threads, received one in which "
            "TensorFlow is initialized with another number; train before you use TensorFlow, or in a "
            "separate process"
        ) from None


def available_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def native_precision() -> str:
    """Return what the precision `auto` means on this machine, without importing TensorFlow.

    Returns:
        `mixed_bfloat16` where the processor's bfloat16 products are faster than its float32 ones:
        matrix units (AMX), AVX-512 BF16 of AMD, or an NVIDIA GPU of compute capability 8 or more that
        TensorFlow is built for. Else `float32`: Intel's AVX-512 BF16 without AMX was measured at half the
        rate of its float32 (docs/speed.md).
    """
    flags, vendor = _cpu_flags()
    amd = "avx512_bf16" in flags and vendor == "AuthenticAMD"
    return "mixed_bfloat16" if "amx_bf16" in flags or amd or _bfloat16_gpu() else "float32"


def jax_precision() -> str:
    """Return what the precision `auto` means where JAX trains; `prepare_jax` comes first.

    Returns:
        `mixed_bfloat16` on a TPU and on NVIDIA GPUs of compute capability 8 or more, else `float32`.
    """
    import jax

    device = jax.local_devices()[0]
    if device.platform == "gpu":
        capability = re.match(r"\d+", str(getattr(device, "compute_capability", "")))
        return "mixed_bfloat16" if capability and int(capability[0]) >= 8 else "float32"
    return "mixed_bfloat16" if device.platform == "tpu" else "float32"


def tensorflow_sees_accelerator() -> bool:
    """Check whether TensorFlow computes on a GPU; the package `tensorflow-cpu` is not even imported."""
    if importlib.util.find_spec("tensorflow") is None or _installed("tensorflow-cpu"):
        return False
    import_tensorflow_quietly()
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def import_tensorflow_quietly() -> None:
    """Import TensorFlow, if installed, without its log: Keras on JAX imports it when it saves a network."""
    if "tensorflow" in sys.modules or importlib.util.find_spec("tensorflow") is None:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _stderr_only_on_failure():
        importlib.import_module("tensorflow")


def _cpu_flags() -> tuple[frozenset[str], str]:
    text = _cpuinfo()
    flags = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    vendor = re.search(r"^vendor_id\s*:\s*(\S+)", text, re.MULTILINE)
    return frozenset(flags[1].split() if flags else ()), vendor[1] if vendor else ""


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return ""


def _bfloat16_gpu() -> bool:
    if not _installed("tensorflow") or not _installed("nvidia-cudnn-cu12"):
        return False
    query = ["nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
        return min(float(line) for line in answer.split()) >= 8
    except (OSError, subprocess.SubprocessError, ValueError):
        return False


def cpu_name() -> str:
    """Return the processor's name as the operating system reports it."""
    found = re.search(r"^model name\s*:\s*(.+)$", _cpuinfo(), re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()


def environment() -> dict[str, str]:
    """Describe this process's environment: versions, processor and system."""
    jax = chosen_backend() == "jax"
    backend = ("jax", "jaxlib") if jax else ("tensorflow", "tensorflow-cpu")
    versions = {name: _version(name) for name in ("digitlab", "keras", *backend, "numpy") if _installed(name)}
    return (
        versions
        | ({"device": _jax_device()} if jax else {})
        | {
            "python": platform.python_version(),
            "cpu": cpu_name(),
            "cores": str(available_cores()),
            "system": f"{platform.system()} {platform.machine()}",
        }
    )


def _jax_device() -> str:
    import jax

    return jax.local_devices()[0].device_kind


def _installed(package: str) -> bool:
    return bool(_version(package))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
