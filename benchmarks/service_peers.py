"""Plain endpoints around the same network, as one writes them in a quarter of an hour.

Each runs in a process of its own, and prints its port once it listens.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from digitlab.bundle.export import Classify, keras_call, load_network
from digitlab.bundle.files import check_bundle
from digitlab.bundle.runtime import IMAGES, PROBABILITIES, open_session
from digitlab.serving.server import listen


class Tensor(BaseModel):
    """A tensor of the protocol."""

    name: str
    shape: list[int]
    datatype: str
    data: list[float]


class InferenceRequest(BaseModel):
    """A request of the protocol."""

    inputs: list[Tensor]


class InferenceAnswer(BaseModel):
    """An answer of the protocol."""

    model_name: str
    outputs: list[Tensor]


def endpoint(classify: Classify) -> FastAPI:
    """Create the application: a single endpoint, without batching."""
    app = FastAPI()

    @app.post("/v2/models/{model}/infer")
    def infer(model: str, request: InferenceRequest) -> InferenceAnswer:
        tensor = request.inputs[0]
        images = np.array(tensor.data, np.float32).reshape(tensor.shape)
        probabilities = classify(images)
        output = Tensor(
            name=PROBABILITIES,
            shape=list(probabilities.shape),
            datatype="FP32",
            data=probabilities.ravel().tolist(),
        )
        return InferenceAnswer(model_name=model, outputs=[output])

    return app


def raw_onnx(folder: Path) -> Classify:
    """Return a function that runs a bare session of ONNX Runtime."""
    session: Any = open_session(check_bundle(folder).onnx_path)
    return lambda images: session.run([PROBABILITIES], {IMAGES: images})[0]


def plain_keras(folder: Path) -> Classify:
    """Return a function that calls the Keras network."""
    from digitlab.training.process import prepare_process

    prepare_process(1)
    return keras_call(load_network(check_bundle(folder)))


KINDS: dict[str, Callable[[Path], Classify]] = {"onnx": raw_onnx, "keras": plain_keras}


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve a network from a plain endpoint.")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("bundle", type=Path)
    chosen = parser.parse_args()
    classify = KINDS[chosen.kind](chosen.bundle)
    classify(np.zeros((1, 28, 28), np.float32))
    listener = listen("127.0.0.1", 0)
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(endpoint(classify), access_log=False, log_level="error")
    uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main()
