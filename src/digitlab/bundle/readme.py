"""The README of a bundle: a model card in the format of the Hugging Face Hub."""

from __future__ import annotations

import json

from digitlab.bundle.card import Card
from digitlab.results.record import Scores
from digitlab.spec.recipe import MLP

_HUB = {"mnist": ("ylecun/mnist", "MNIST")}
"""The Hub's name of a data set, and people's."""

_TEMPLATE = """\
---
license: mit
library_name: keras
pipeline_tag: image-classification
tags: [digitlab, handwritten-digits, mnist, keras, onnx]
{datasets}metrics: [accuracy]
model-index:
- name: {quoted_name}
  results:
  - task:
      type: image-classification
    dataset:
      name: {quoted_title}
      type: {quoted_hub}
      split: test
    metrics:
    - type: accuracy
      value: {test.accuracy:.6g}
    - type: mse
      name: mean squared error of the probabilities
      value: {test.mse:.6g}
    - type: log_loss
      name: log loss in nats
      value: {test.log_loss:.6g}
    - type: expected_calibration_error
      name: expected calibration error
      value: {test.calibration_error:.6g}
---

# {name}

A {kind} of {card.parameters:,} parameters and {card.multiply_adds:,} multiply-adds an image
that tells which handwritten digit an image shows. Recipe `{card.recipe}` of digitlab, {card.made}.

It takes images of 28x28 as raw grey values 0 to 255, white ink on black, the digit in a box of 20x20
with its centre of mass in the middle (as in MNIST), and gives ten probabilities. Normalization is a layer of
the network. Pictures of any other kind must be brought into that form first: `digitlab recognize` does.

## Scores

| images | right | error | mean squared error | log loss | calibration error |
|---|---|---|---|---|---|
{scores}

Nothing was chosen by the test images. The 95 % interval of one network at 99.5 % is about 0.14 points either
way.

Confidences: softmax(ln(p) / {calibration.temperature:.3f}), fitted on {calibration.images:,} validation
images, takes their calibration error from {calibration.error_before:.4f} to {calibration.error_after:.4f}.

## Use

In this folder, with digitlab:

```python
import numpy as np
from digitlab.bundle import load_classifier

images = np.zeros((1, 28, 28), np.uint8)
print(load_classifier(".").calibrated(images))
```

with Keras alone:

```python
import keras
import numpy as np

model = keras.saving.load_model("model.keras")
images = np.zeros((1, 28, 28), np.uint8)
print(model.predict(images))
```

and with ONNX Runtime alone; `inside.onnx` gives every feature map as well:

```python
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
images = np.zeros((1, 28, 28), np.float32)
print(session.run(["probabilities"], {{"images": images}})[0])
```

## How it was made

- Data: {title}, contents `{data.fingerprint}`; {data.validation:,} training images set aside for validation
  by split seed {data.split_seed}.
- Trial `{card.trial_id}`, seed {card.trial.seed}: {card.train_seconds:.0f} s of training, epochs: {epochs}.
- With {environment}.
{commit}- `model.onnx` answers as `model.keras` on {proof.images:,} test images: the largest difference of two
  probabilities is {proof.largest_difference:.1e} and {other_labels} labels are others ({proof.runtime}).
- `card.json` holds all of this, the model and training settings, and the SHA-256 of every file.

## Licence and limits

The network is under the MIT licence. MNIST is by Yann LeCun and Corinna Cortes, CC BY-SA 3.0.
It knows single digits, mostly as Americans wrote them about 1990, and gives one of ten digits to whatever it
is shown; `digitlab recognize` rejects what is none.
"""


def readme(card: Card, name: str) -> str:
    """Write a model card: Markdown behind a YAML header with `model-index`.

    Args:
        card: of the bundle.
        name: of the bundle.
    """
    dataset = card.trial.data.dataset
    hub, title = _HUB.get(dataset, (dataset, dataset))
    parts = {"test": card.test} | ({"validation": card.validation} if card.validation else {})
    return _TEMPLATE.format(
        card=card,
        name=name,
        # A JSON string is one of YAML's, too.
        quoted_name=json.dumps(name),
        title=title,
        quoted_title=json.dumps(title),
        quoted_hub=json.dumps(hub),
        datasets=f"datasets: [{hub}]\n" if dataset in _HUB else "",
        kind="multilayer perceptron" if isinstance(card.trial.model, MLP) else "convolutional network",
        test=card.test,
        scores="\n".join(_row(part, scores) for part, scores in parts.items()),
        calibration=card.calibration,
        data=card.trial.data,
        epochs=card.trial.training.epochs,
        environment=", ".join(f"{key} {value}" for key, value in card.environment.items()),
        commit=_commit(card),
        proof=card.proofs["onnx"],
        other_labels=len(card.proofs["onnx"].other_labels),
    )


def _commit(card: Card) -> str:
    if card.commit is None:
        return ""
    changed = ", with changes that were not committed" if card.clean is False else ""
    return f"- By the code of commit `{card.commit}`{changed}.\n"


def _row(part: str, scores: Scores) -> str:
    return (
        f"| {scores.images:,} of {part} | {scores.correct:,} | {scores.error_percent:.2f} % "
        f"| {scores.mse:.6f} | {scores.log_loss:.4f} | {scores.calibration_error:.4f} |"
    )
