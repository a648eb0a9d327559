"""Exporting a bundle; each format is verified in its own runtime before it is kept."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlab.bundle.card import Card, ParityReport
from digitlab.bundle.export import (
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
from digitlab.bundle.runtime import Classify, classify_with, runtime_name
from digitlab.data import Dataset
from digitlab.errors import BundleError, UserError
from digitlab.files import ensure_new, new_folder, write_whole

if TYPE_CHECKING:
    import onnx

PROOF = "proof.json"
TIMED_CALLS = 200


@dataclass(frozen=True)
class Exported:
    """One export and its measurements.

    Attributes:
        format: `onnx`, `litert` or `saved-model`, followed by `-float16` if the weights are stored in it.
        folder: folder of the export.
        proof: parity of the export with the Keras network.
        correct: number of test images that it classified correctly.
        keras_correct: number of test images that the Keras network classified correctly.
        size: total size of its files in bytes.
        milliseconds: median time of 200 calls that classify one image on one thread.
    """

    format: str
    folder: Path
    proof: ParityReport
    correct: int
    keras_correct: int
    size: int
    milliseconds: float

    def to_values(self) -> dict[str, Any]:
        """Return the fields as JSON-compatible values."""
        return {**vars(self), "folder": str(self.folder), "proof": self.proof.to_values()}


class RefusedExportError(BundleError):
    """An export that failed verification and was not kept.

    Attributes:
        exported: measurements of the export; its folder does not exist.
    """

    def __init__(self, exported: Exported) -> None:
        super().__init__(
            f"{exported.format}: {exported.proof.failure}; {exported.correct:,} right instead of "
            f"{exported.keras_correct:,}, {exported.size:,} bytes; it was not written"
        )
        self.exported = exported


@dataclass(frozen=True)
class _Format:
    """Functions that write a format into a folder and run it; `write` is called with the exporter."""

    write: Callable[[Exporter, Path, str | None], Path]
    run: Callable[[Path], Classify]
    runtime: Callable[[], str]
    quantizes: bool


class Exporter:
    """Exporter of one bundle.

    Args:
        bundle: a checked bundle.
        dataset: data set with the test images that verify the exports.
    """

    def __init__(self, bundle: Bundle, dataset: Dataset) -> None:
        self.bundle = bundle
        self.dataset = dataset
        self.network = load_network(bundle)
        self.expected = keras_probabilities(self.network, dataset.x_test)

    def export(self, format_name: str, out: Path, quantize: str | None = None) -> Exported:
        """Write one format into a new folder of its own, and verify it there.

        Args:
            format_name: one of `FORMATS`.
            out: parent folder of the new folder.
            quantize: type of the stored weights, `float16`; None for float32.

        Raises:
            RefusedExportError: the probabilities differ from Keras's; nothing is left of the export.
            OutputError: the folder exists and is not empty, or cannot be written.
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
        classify = form.run(path)
        answered = classify(self.dataset.x_test)
        files = _files(path)
        proof = compare(
            self.expected,
            answered,
            runtime=form.runtime(),
            tolerance=QUANTIZED if quantize else EXACT,
            files={file.relative_to(path.parent).as_posix(): sha256(file) for file in files},
        )
        one_image = self.dataset.x_test[:1]
        return Exported(
            format=name,
            folder=folder,
            proof=proof,
            correct=_correct(answered, self.dataset),
            keras_correct=_correct(self.expected, self.dataset),
            size=sum(file.stat().st_size for file in files),
            milliseconds=1000 * median_seconds(lambda: classify(one_image)),
        )


def export_name(format_name: str, quantize: str | None) -> str:
    """Return the name of an export and of its folder."""
    return f"{format_name}-{quantize}" if quantize else format_name


def check_exports(names: list[str], out: Path, quantize: str | None) -> None:
    """Check that exports can be written, before the network is loaded.

    Args:
        names: names of the formats.
        out: parent folder of the exports.
        quantize: type of the stored weights, `float16`; None for float32.

    Raises:
        UserError: a format cannot store its weights in that type.
        OutputError: an export exists already, or the folder cannot be written.
        MissingExtraError: a library is not installed.
    """
    for name in names:
        if quantize and not FORMATS[name].quantizes:
            raise UserError(f"{name}: expected no --quantize, received {quantize}; it supports float32 only")
        if name == "litert":
            require("ai_edge_litert", "export")
        ensure_new(out / export_name(name, quantize))
    require("tensorflow", "train")


def keep_proofs(bundle: Bundle, proofs: Mapping[str, ParityReport]) -> Card:
    """Add the proofs of exports to the card of a bundle, on disk, and return the new card."""
    card = bundle.card.model_copy(update={"proofs": {**bundle.card.proofs, **proofs}})
    write_whole(bundle.folder / CARD, card.to_bytes())
    return card


def median_seconds(call: Callable[[], object]) -> float:
    """Return the median duration of many calls in seconds, after a few warm-up calls."""
    for _ in range(5):
        call()
    seconds = []
    for _ in range(TIMED_CALLS):
        begin = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def _files(path: Path) -> list[Path]:
    """Return an export's files: the file itself, or all files of its folder, sorted."""
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file())


def _correct(probabilities: np.ndarray, dataset: Dataset) -> int:
    return int((probabilities.argmax(axis=1) == dataset.y_test).sum())


def _write_onnx(exporter: Exporter, folder: Path, quantize: str | None) -> Path:
    path = folder / ONNX
    content = exporter.bundle.onnx_path.read_bytes()
    if quantize is not None:
        import onnx

        content = to_float16(onnx.load_model_from_string(content)).SerializeToString()
    path.write_bytes(content)
    return path


def to_float16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store kernels in float16, half their size, with nodes that convert them to float32 once, at load time.

    Args:
        model: network in float32, as returned by `to_onnx`.
    """
    from onnx import TensorProto, helper, numpy_helper

    kernels = {node.input[1] for node in model.graph.node if node.op_type in {"Conv", "Gemm"}}
    casts = []
    smaller = deepcopy(model)
    for tensor in smaller.graph.initializer:
        name = tensor.name
        if name not in kernels:
            continue
        half = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}/stored"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    del smaller.graph.node[:]
    smaller.graph.node.extend([*casts, *model.graph.node])  # a node comes after those whose values it takes
    return smaller


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
"""Export formats by name."""
