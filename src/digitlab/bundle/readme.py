"""The README of a bundle: a model card in the format of the Hugging Face Hub."""

from __future__ import annotations

import json
from collections.abc import Iterator

from digitlab.bundle.card import Card
from digitlab.bundle.data import classes_of, refusal_to_read
from digitlab.data.catalog import known_entry
from digitlab.results.metrics import wilson_interval
from digitlab.results.record import Scores

_HUB = {"mnist": ("ylecun/mnist", "MNIST")}
"""Name of a data set on the Hub, and its title, by digitlab's name."""

_KINDS = {
    "mlp": "multilayer perceptron",
    "cnn": "convolutional network",
    "python": "network of its author's own function",
}
_TEMPLATE = """\
---
license: mit
library_name: keras
pipeline_tag: image-classification
tags: [{tags}]
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

A {kind} of {card.parameters:,} parameters and {card.multiply_adds:,} multiply-adds per image
that predicts {what} an image shows. Recipe `{card.recipe}` of digitlab; {card.made}.

{takes}

## Scores

| images | right | error | mean squared error | log loss | calibration error |
|---|---|---|---|---|---|
{scores}

No choice was made on the test images. The test error is uncertain, as they are few: its 95 % interval is
{low:.2f} to {high:.2f} % (Wilson 1927).

Confidences: softmax(ln(p) / {calibration.temperature:.3f}), fitted on {calibration.images:,} validation
images, which changes their calibration error from {calibration.error_before:.4f} to
{calibration.error_after:.4f}.

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

and with ONNX Runtime alone; `inside.onnx` returns every feature map as well:

```python
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
images = np.zeros((1, 28, 28), np.float32)
print(session.run(["probabilities"], {{"images": images}})[0])
```

## Training

- Data: {title}, contents `{data.fingerprint}`; {data.validation:,} training images set aside for validation
  by split seed {data.split_seed}.
- Trial `{card.trial_id}`, seed {card.trial.seed}: {card.train_seconds:.0f} s of training, epochs: {epochs};
  by {versions}.
- With {environment}.
{code}- `model.onnx` agrees with `model.keras` on {proof.images:,} test images: the largest difference of two
  probabilities is {proof.largest_difference:.1e} and {other_labels} labels differ ({proof.runtime}).
- `card.json` holds all of this, the model and training settings, and the SHA-256 of every file.

## Licence and limits

The network is under the MIT licence. {terms}
{limits}
"""

_TAKES_DIGITS = """\
It takes images of 28x28 as raw grey values 0 to 255, white ink on black, the digit in a box of 20x20
with its centre of mass in the middle (as in MNIST), and returns ten probabilities. Normalization is a layer
of the network. Other pictures must be converted to that form first: `digitlab recognize` does."""

_TAKES_OTHERS = """\
It takes images of 28x28 as raw grey values 0 to 255, in the form of the data that it was trained on, and
returns {classes} probabilities, one per class. Normalization is a layer of the network.{names}"""

_KNOWS_MNIST = """\
It classifies single digits, mostly as Americans wrote them about 1990, and returns one of ten digits for
any input; `digitlab recognize` rejects ink that is not a digit."""

_KNOWS_DIGITS = """\
It classifies single digits as they are in its data, and returns one of ten digits for any input;
`digitlab recognize` rejects ink that is not a digit."""

_KNOWS_OTHERS = """\
It knows only its {classes} classes, and returns one of them for any input. It does not classify digits:
`digitlab recognize` refuses it."""


def readme(card: Card, name: str) -> str:
    """Return a model card: Markdown after a YAML header with `model-index`.

    Args:
        card: the bundle's card.
        name: the bundle's name.
    """
    data = card.trial.data
    on_hub = data.dataset in _HUB
    if on_hub:
        hub, title = _HUB[data.dataset]
    else:  # the folder's name: no path of the trainer's machine in a public file
        hub = title = data.name
    reads = refusal_to_read(card) is None
    if reads:
        what = "which handwritten digit"
        takes = _TAKES_DIGITS
    else:
        what = f"which of {card.trial.classes} classes"
        takes = _TAKES_OTHERS.format(names=_names(card), classes=card.trial.classes)
    errors = card.test.images - card.test.correct
    low, high = wilson_interval(errors, card.test.images)
    rows = [_row("test", card.test)]
    if card.validation:
        rows.append(_row("validation", card.validation))
    parity = card.proofs["onnx"]
    return _TEMPLATE.format(
        card=card,
        name=name,
        # A JSON string is a valid YAML string, too.
        quoted_name=json.dumps(name),
        title=title,
        tags=", ".join(_tags(reads, data.dataset)),
        what=what,
        takes=takes,
        quoted_title=json.dumps(title),
        quoted_hub=json.dumps(hub),
        datasets=f"datasets: [{hub}]\n" if on_hub else "",
        kind=_KINDS[card.trial.model.family],
        test=card.test,
        scores="\n".join(rows),
        low=100 * low,
        high=100 * high,
        calibration=card.calibration,
        data=data,
        epochs=_epochs(card),
        environment=", ".join(f"{key} {value}" for key, value in card.environment.items()),
        versions=_versions(card),
        code="".join(f"- {line}\n" for line in _code(card)),
        terms=_terms(card),
        limits=_limits(card, reads),
        proof=parity,
        other_labels=len(parity.other_labels),
    )


def _tags(reads: bool, dataset: str) -> list[str]:
    tags = ["digitlab"]
    if reads:
        tags.append("handwritten-digits")
    if dataset in _HUB:
        tags.append(dataset)
    return [*tags, "keras", "onnx"]


def _names(card: Card) -> str:
    classes = classes_of(card)
    if classes is None:
        return " Its data does not name the classes."
    rows = [f"| {i} | {name} |" for i, name in enumerate(classes)]
    return "\n\n| output | class |\n|---|---|\n" + "\n".join(rows)


def _versions(card: Card) -> str:
    text = f"engine version {card.trial.engine_version}"
    synthesis = card.trial.synthesis_version
    if synthesis is not None:
        text += f", synthesis version {synthesis}"
    return text


def _code(card: Card) -> Iterator[str]:
    """Yield sentences on the code that trained the network, and on the code that wrote it if that differs."""
    if card.commit is None:
        yield "The commit that trained it was not recorded."
    else:
        yield f"Trained by the code of commit `{card.commit}`{_changes(card.clean)}."
    if card.written_by is not None:
        yield f"Written by the code of commit `{card.written_by}`{_changes(card.written_clean)}."


def _changes(clean: bool | None) -> str:
    if clean is None:
        return "; uncommitted changes were not recorded"
    return "" if clean else ", with uncommitted changes"


def _terms(card: Card) -> str:
    known = known_entry(card.trial.data.dataset, card.trial.data.fingerprint)
    if known is None:
        return "Its data has terms of its own, which are not known here."
    name = known.title.split(",")[0]  # of "MNIST, handwritten digits"
    return f"{name} is by {known.authors}, {known.licence}."


def _limits(card: Card, reads: bool) -> str:
    if not reads:
        return _KNOWS_OTHERS.format(classes=card.trial.classes)
    known = known_entry(card.trial.data.dataset, card.trial.data.fingerprint)
    if known and known.name == "mnist":
        return _KNOWS_MNIST
    return _KNOWS_DIGITS


def _epochs(card: Card) -> str:
    training = card.trial.training
    return str(training.epochs) if training.patience is None else f"at most {training.epochs}"


def _row(part: str, scores: Scores) -> str:
    return (
        f"| {scores.images:,} of {part} | {scores.correct:,} | {scores.error_percent:.2f} % "
        f"| {scores.mse:.6f} | {scores.log_loss:.4f} | {scores.calibration_error:.4f} |"
    )
