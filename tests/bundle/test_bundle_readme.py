from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from clothes import CLOTHES
from digitlab.bundle.card import Card
from digitlab.bundle.files import CARD, README, check_bundle
from digitlab.bundle.readme import readme
from digitlab.data.classes import DIGITS


@pytest.fixture
def card(whole_bundle: Path) -> Card:
    return check_bundle(whole_bundle).card


def header(text: str) -> dict:
    begin, front, _ = text.split("---\n", 2)
    assert begin == ""
    return yaml.safe_load(front)


def test_its_header_has_what_the_hub_reads(card: Card) -> None:
    values = header(readme(card, "linear"))
    assert values["license"] == "mit"
    assert values["library_name"] == "keras"
    assert values["pipeline_tag"] == "image-classification"
    assert values["datasets"] == ["ylecun/mnist"]
    [entry] = values["model-index"]
    assert entry["name"] == "linear"
    [scored] = entry["results"]
    assert scored["task"] == {"type": "image-classification"}
    assert scored["dataset"] == {"name": "MNIST", "type": "ylecun/mnist", "split": "test"}
    found = {metric["type"]: metric["value"] for metric in scored["metrics"]}
    assert found["accuracy"] == pytest.approx(card.test.accuracy, abs=1e-6)
    assert found["log_loss"] == pytest.approx(card.test.log_loss, rel=1e-4)


@pytest.mark.parametrize("name", ["a: b", '"quoted"', "# not a comment", "ü\\n", "[list]"])
def test_any_name_of_a_folder_is_a_name(name: str, card: Card) -> None:
    assert header(readme(card, name))["model-index"][0]["name"] == name


def test_it_says_how_well_the_network_does_and_where_it_comes_from(card: Card) -> None:
    text = readme(card, "linear")
    assert f"| 10,000 of test | {card.test.correct:,} | {card.test.error_percent:.2f} % |" in text
    assert "| 5,000 of validation |" in text
    for words in (card.trial_id, "a made-up one", f"{card.calibration.temperature:.3f}", "seed 0"):
        assert words in text


def test_a_network_that_was_trained_on_everything_has_no_validation_score(card: Card) -> None:
    assert "of validation |" not in readme(card.model_copy(update={"validation": None}), "linear")


def test_a_data_set_of_ones_own_is_none_of_the_hubs(card: Card) -> None:
    trial = card.trial.model_copy(update={"data": card.trial.data.model_copy(update={"dataset": "./mine"})})
    values = header(readme(card.model_copy(update={"trial": trial}), "mine"))
    assert "datasets" not in values
    assert values["model-index"][0]["results"][0]["dataset"]["type"] == "./mine"


def test_a_network_of_other_classes_is_described_as_what_it_is(card: Card) -> None:
    data = card.trial.data.model_copy(update={"dataset": "./clothes"})
    trial = card.trial.model_copy(update={"data": data})
    text = readme(card.model_copy(update={"trial": trial, "classes": CLOTHES}), "clothes")
    assert header(text)["tags"] == ["digitlab", "keras", "onnx"]
    assert "| 9 | Ankle boot |" in text
    assert "predicts which of 10 classes an image shows" in text
    assert "`digitlab recognize` refuses it." in text
    for untrue in ("MNIST is by", "single digits", "handwritten digit", "digit in a box"):
        assert untrue not in text


def test_digits_of_ones_own_are_not_mnists(card: Card) -> None:
    data = card.trial.data.model_copy(update={"dataset": "./mine"})
    trial = card.trial.model_copy(update={"data": data})
    text = readme(card.model_copy(update={"trial": trial, "classes": DIGITS}), "mine")
    assert "It classifies single digits as they are in its data" in text
    assert "Its data has terms of its own" in text
    assert "MNIST is by Yann LeCun and Corinna Cortes, CC BY-SA 3.0." in readme(card, "linear")


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ({"commit": None}, "- The commit that trained it was not recorded."),
        ({"commit": COMMIT, "clean": True}, f"- Trained by the code of commit `{COMMIT}`."),
        (
            {"commit": COMMIT, "clean": False},
            f"- Trained by the code of commit `{COMMIT}`, with uncommitted changes.",
        ),
        (
            {"commit": COMMIT},
            f"- Trained by the code of commit `{COMMIT}`; uncommitted changes were not recorded.",
        ),
        (
            {"written_by": COMMIT, "written_clean": False},
            f"- Written by the code of commit `{COMMIT}`, with uncommitted changes.",
        ),
    ],
)
def test_it_says_which_code_trained_it_and_which_wrote_it(
    code: dict[str, str | bool | None], told: str, card: Card
) -> None:
    unsaid = {"commit": None, "clean": None, "written_by": None, "written_clean": None}
    assert told in readme(card.model_copy(update=unsaid | code), "linear").splitlines()


def test_the_interval_of_the_error_is_that_of_so_many_images(card: Card) -> None:
    scores = card.test.model_copy(update={"images": 500, "correct": 427})
    # Wilson's interval of 73 of 500 by statsmodels: proportion_confint(73, 500, method="wilson").
    assert "11.77 to 17.96 %" in readme(card.model_copy(update={"test": scores}), "linear")


def test_the_card_keeps_rows_of_numbers_on_a_line(whole_bundle: Path, card: Card) -> None:
    text = (whole_bundle / CARD).read_text("utf-8")
    assert re.search(r"^      \[\d+(, \d+){9}\],?$", text, re.MULTILINE), "a row of the confusion matrix"
    assert Card.from_json(text) == card


@pytest.mark.slow
def test_its_snippets_run_but_for_keras_which_a_real_bundle_is_needed_for(whole_bundle: Path) -> None:
    snippets = re.findall(r"```python\n(.*?)```", (whole_bundle / README).read_text("utf-8"), re.DOTALL)
    assert len(snippets) == 3
    for snippet in snippets:
        if "keras.saving" not in snippet:
            command = [sys.executable, "-c", snippet]
            done = subprocess.run(command, cwd=whole_bundle, capture_output=True, text=True, check=True)
            assert done.stdout.startswith("[[")
