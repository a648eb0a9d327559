"""Exporting a bundle, each format proved by its own runtime before it is kept."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digitlab.bundle.card import Card, Proof
from digitlab.bundle.export import (
    Classify,
    keras_probabilities,
    litert,
    litert_name,
    load_network,
    require,
    saved_model,
    tensorflow_name,
    write_litert,
    write_saved_model,
)
from digitlab.bundle.files import CARD, MODEL, ONNX, Bundle, sha256
from digitlab.bundle.parity import EXACT, QUANTIZED, compare
from digitlab.bundle.quantize import to_float16, to_int8
from digitlab.bundle.runtime import classify_with, runtime_name
from digitlab.data import Dataset
from digitlab.errors import BundleError, UserError
from digitlab.files import ensure_new, new_folder, write_whole

PROOF = "proof.json"
CALIBRATION_IMAGES = 5_000
TIMED_CALLS = 200


@dataclass(frozen=True)
class Exported:
    """One export and what was measured of it.

    Attributes:
        format: `onnx`, `litert` or `saved-model`, with `-float16` or `-int8` where the weights are kept so.
        folder: that holds it.
        proof: that it answers as Keras does.
        correct: images of the test set that it classified right.
        keras_correct: the same of the Keras network.
        size: bytes of its files.
        milliseconds: to classify one image on one thread, the median of 200.
    """

    format: str
    folder: Path
    proof: Proof
    correct: int
    keras_correct: int
    size: int
    milliseconds: float

    def to_values(self) -> dict[str, Any]:
        """Give plain values, as JSON takes them."""
        return {**vars(self), "folder": str(self.folder), "proof": self.proof.to_values()}


class RefusedExportError(BundleError):
    """An export that failed its proof and was not kept.

    Attributes:
        exported: what was measured of it; its folder is not there.
    """

    def __init__(self, exported: Exported) -> None:
        super().__init__(
            f"{exported.format}: {exported.proof.failure}; {exported.correct:,} right instead of "
            f"{exported.keras_correct:,}, {exported.size:,} bytes; nothing was kept of it"
        )
        self.exported = exported


@dataclass(frozen=True)
class _Format:
    """How a format is written into a folder and run; `write` is given what `Exporter` has."""

    write: Callable[[Exporter, Path, str | None], Path]
    run: Callable[[Path], Classify]
    runtime: Callable[[], str]
    quantizes: bool


class Exporter:
    """Exports one bundle.

    Args:
        bundle: that was checked.
        dataset: whose test images prove the exports, and on whose training images int8 is calibrated.
    """

    def __init__(self, bundle: Bundle, dataset: Dataset) -> None:
        self.bundle = bundle
        self.dataset = dataset
        self.network = load_network(bundle)
        self.expected = keras_probabilities(self.network, dataset.x_test)

    def export(self, format_name: str, out: Path, quantize: str | None = None) -> Exported:
        """Write one format into a new folder of its own, and prove it there.

        Args:
            format_name: one of `FORMATS`.
            out: folder in which that one is made.
            quantize: keep weights as `float16` or `int8`; None is float32.

        Raises:
            RefusedExportError: it answers otherwise than Keras; nothing is left of it.
            OutputError: the folder is there already or cannot be written.
            MissingExtraError: a library for the format is not installed.
        """
        form = FORMATS[format_name]
        name = export_name(format_name, quantize)
        with new_folder(out / name) as draft:
            path = form.write(self, draft, quantize)
            exported = self._measure(form, path, name, (out / name).absolute(), quantize)
            if exported.proof.failure is not None:
                raise RefusedExportError(exported)
            values = exported.to_values() | {"folder": name, "network": self.bundle.card.files[MODEL]}
            (draft / PROOF).write_text(json.dumps(values, indent=2) + "\n", "utf-8")
        return exported

    def _measure(self, form: _Format, path: Path, name: str, folder: Path, quantize: str | None) -> Exported:
        files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
        classify = form.run(path)
        answered = classify(self.dataset.x_test)
        proof = compare(
            self.expected,
            answered,
            runtime=form.runtime(),
            tolerance=QUANTIZED if quantize else EXACT,
            files={file.relative_to(path.parent).as_posix(): sha256(file) for file in files},
        )
        return Exported(
            format=name,
            folder=folder,
            proof=proof,
            correct=_correct(answered, self.dataset),
            keras_correct=_correct(self.expected, self.dataset),
            size=sum(file.stat().st_size for file in files),
            milliseconds=1000 * median_seconds(lambda: classify(self.dataset.x_test[:1])),
        )


def export_name(format_name: str, quantize: str | None) -> str:
    """Name an export, and the folder that holds it."""
    return f"{format_name}-{quantize}" if quantize else format_name


def check_exports(names: list[str], out: Path, quantize: str | None) -> None:
    """Make sure that exports can be written, before the network is loaded.

    Args:
        names: of formats.
        out: folder in which each is made.
        quantize: as for `Exporter.export`.

    Raises:
        UserError: a format keeps no such weights.
        OutputError: one is there already, or the place cannot be written.
        MissingExtraError: a library is not installed.
    """
    for name in names:
        if quantize and not FORMATS[name].quantizes:
            raise UserError(f"{name}: expected no --quantize, received {quantize}; it keeps float32 alone")
        if name == "litert":
            require("ai_edge_litert", "export")
        ensure_new(out / export_name(name, quantize))
    require("tensorflow", "train")


def keep_proofs(bundle: Bundle, proofs: Mapping[str, Proof]) -> Card:
    """Write proofs of exports into the card of a bundle, beside those that it has."""
    card = bundle.card.model_copy(update={"proofs": {**bundle.card.proofs, **proofs}})
    write_whole(bundle.folder / CARD, card.to_bytes())
    return card


def median_seconds(call: Callable[[], object]) -> float:
    """Time a call: the median of many, after a few that are not counted."""
    for _ in range(5):
        call()
    seconds = []
    for _ in range(TIMED_CALLS):
        begin = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def _correct(probabilities: np.ndarray, dataset: Dataset) -> int:
    return int((probabilities.argmax(axis=1) == dataset.y_test).sum())


def _write_onnx(exporter: Exporter, folder: Path, quantize: str | None) -> Path:
    path = folder / ONNX
    content = exporter.bundle.onnx_path.read_bytes()
    if quantize is not None:
        import onnx

        model = onnx.load_model_from_string(content)
        images = exporter.dataset.x_train[:CALIBRATION_IMAGES]
        smaller = to_float16(model) if quantize == "float16" else to_int8(model, images)
        content = smaller.SerializeToString()
    path.write_bytes(content)
    return path


def _write_litert(exporter: Exporter, folder: Path, quantize: str | None) -> Path:
    write_litert(exporter.network, folder / "model.tflite", quantize)
    return folder / "model.tflite"


def _write_saved_model(exporter: Exporter, folder: Path, _: str | None) -> Path:
    write_saved_model(exporter.network, folder / "saved-model")
    return folder / "saved-model"


FORMATS: dict[str, _Format] = {
    "onnx": _Format(_write_onnx, classify_with, runtime_name, quantizes=True),
    "litert": _Format(_write_litert, litert, litert_name, quantizes=True),
    "saved-model": _Format(_write_saved_model, saved_model, tensorflow_name, quantizes=False),
}
"""The formats, by name."""
