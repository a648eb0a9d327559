"""Choice of the engine: the one requested, or the one that sees an accelerator."""

from __future__ import annotations

import importlib.util
from typing import Literal, get_args

from digitlab.errors import UserError
from digitlab.training.process import chosen_backend, start_jax, tensorflow_sees_accelerator

EngineName = Literal["auto", "tensorflow", "jax"]


def choose_engine(asked: str, threads: int | None = None) -> Literal["tensorflow", "jax"]:
    """Choose the engine that trains.

    `auto` is the backend that Keras already has; else JAX where JAX sees an accelerator and TensorFlow
    does not; else TensorFlow.

    Args:
        asked: engine requested: `auto`, `tensorflow` or `jax`.
        threads: number of threads that compute, should JAX be started to look for an accelerator.

    Raises:
        UserError: the engine is unknown.
    """
    if asked not in get_args(EngineName):
        raise UserError(f"engine: expected auto, tensorflow or jax, received {asked!r}; choose one of them")
    chosen = chosen_backend() if asked == "auto" else asked
    if chosen == "jax" or (not chosen and _only_jax_sees_an_accelerator(threads)):
        return "jax"
    return "tensorflow"


def _only_jax_sees_an_accelerator(threads: int | None) -> bool:
    """Check for an accelerator; JAX takes seconds to start, so only where a plug-in for one is installed."""
    has_plugin = _is_installed("jax_plugins") or _is_installed("libtpu")  # for GPUs, and for TPUs
    if not _is_installed("jax") or not has_plugin or tensorflow_sees_accelerator():
        return False
    try:
        return start_jax(threads) != "cpu"
    except RuntimeError:  # a plug-in without its device
        return False


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
