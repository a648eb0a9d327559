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


class ProcessInUseError(UserError):
    """A process in which TensorFlow runs with other numbers of threads already."""


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
    platform_of_jax = start_jax(threads)
    if platform_of_jax == "cpu" and threads not in (None, _jax_threads()):
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
        own_flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"--xla_gpu_deterministic_ops=true {own_flags}".strip()
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
        os.environ["KERAS_BACKEND"] = wanted  # Keras reads it once, as it is imported
        return
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
    if importlib.util.find_spec(backend) is None:
        raise MissingExtraError(backend, "jax" if backend == "jax" else "train")
    if importlib.util.find_spec("keras") is None:
        raise MissingExtraError("keras", "train")


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

    if threads is not None and split:
        _set_threads(within=threads, beside=1)
    elif threads is not None:
        _set_threads(within=1, beside=threads)
    tf.constant(0)  # TensorFlow fixes its threads, and writes its log, as it computes for the first time


def _set_threads(within: int, beside: int) -> None:
    """Set the number of threads within an operation, and of operations run at the same time."""
    import tensorflow as tf

    threading = tf.config.threading
    within_now = threading.get_intra_op_parallelism_threads()
    beside_now = threading.get_inter_op_parallelism_threads()
    if (within_now, beside_now) == (within, beside):
        return
    try:
        threading.set_intra_op_parallelism_threads(within)
        threading.set_inter_op_parallelism_threads(beside)
    except RuntimeError:
        raise ProcessInUseError(
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
    has_amx = "amx_bf16" in flags
    is_fast_amd = "avx512_bf16" in flags and vendor == "AuthenticAMD"
    if has_amx or is_fast_amd or _bfloat16_gpu():
        return "mixed_bfloat16"
    return "float32"


def jax_precision() -> str:
    """Return what the precision `auto` means where JAX trains; `prepare_jax` comes first.

    Returns:
        `mixed_bfloat16` on a TPU and on NVIDIA GPUs of compute capability 8 or more, else `float32`.
    """
    import jax

    device = jax.local_devices()[0]
    if device.platform == "tpu":
        return "mixed_bfloat16"
    if device.platform != "gpu":
        return "float32"
    # A text such as 8.0; devices of other makers have none.
    capability = re.match(r"\d+", str(getattr(device, "compute_capability", "")))
    if capability and int(capability[0]) >= 8:
        return "mixed_bfloat16"
    return "float32"


def tensorflow_sees_accelerator() -> bool:
    """Check whether TensorFlow computes on a GPU; the package `tensorflow-cpu` is not even imported."""
    if importlib.util.find_spec("tensorflow") is None or _is_installed("tensorflow-cpu"):
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


def _cpu_flags() -> tuple[list[str], str]:
    """Return the instruction sets of the processor, and its vendor; empty where Linux does not tell."""
    return _of_first_core("flags").split(), _of_first_core("vendor_id")


def _of_first_core(key: str) -> str:
    """Return what Linux tells of the first core; empty on other systems, and where the key is missing."""
    line = re.search(rf"^{key}[^\S\n]*:(.*)$", _cpuinfo(), re.MULTILINE)
    return line[1].strip() if line else ""


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return ""


def _bfloat16_gpu() -> bool:
    # `tensorflow-cpu` computes on no GPU, and `tensorflow` only with NVIDIA's libraries beside it.
    if not _is_installed("tensorflow") or not _is_installed("nvidia-cudnn-cu12"):
        return False
    query = ["nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
        return min(float(line) for line in answer.split()) >= 8  # of several GPUs the weakest decides
    except (OSError, subprocess.SubprocessError, ValueError):
        return False


@cache
def cpu_name() -> str:
    """Return the processor's name as the operating system reports it."""
    return _of_first_core("model name") or platform.processor() or platform.machine()


def environment() -> dict[str, str]:
    """Describe this process's environment: versions, processor and system."""
    on_jax = chosen_backend() == "jax"
    backend = ("tensorflow", "tensorflow-cpu")  # one of them is installed
    if on_jax:
        backend = ("jax", "jaxlib")
    values = {}
    for package in ("digitlab", "keras", *backend, "numpy"):
        if _is_installed(package):
            values[package] = _version(package)
    if on_jax:
        values["device"] = _jax_device()
    values["python"] = platform.python_version()
    values["cpu"] = cpu_name()
    values["cores"] = str(available_cores())
    values["system"] = f"{platform.system()} {platform.machine()}"
    return values


def _jax_device() -> str:
    import jax

    return jax.local_devices()[0].device_kind


def _is_installed(package: str) -> bool:
    return bool(_version(package))


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
