"""Which data a network is scored on, and whether digits may be read with it: its card decides."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clothes import CLOTHES, write_clothes
from digitlab.bundle.card import Card
from digitlab.bundle.data import (
    classes_of,
    data_of,
    data_to_score_on,
    refusal_to_read,
    require_digits,
    trained_elsewhere,
)
from digitlab.bundle.files import check_bundle, find_bundle, shipped_names
from digitlab.data import load
from digitlab.data.classes import CLASSES_FILE, DIGITS
from digitlab.recognition import Recognizer

Rewrite = Callable[[Callable[[dict[str, Any]], None]], None]


@pytest.fixture(scope="module")
def clothes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clothes")
    write_clothes(folder)
    return folder


@pytest.fixture
def card(clothes: Path) -> Card:
    """As the network `mlp` would have it, had it been trained on clothes."""
    own = check_bundle(find_bundle("mlp")).card
    data = own.trial.data.model_copy(
        update={"dataset": str(clothes), "fingerprint": load(clothes).fingerprint}
    )
    trial = own.trial.model_copy(update={"data": data})
    return own.model_copy(update={"trial": trial, "classes": CLOTHES})


def test_a_network_is_scored_on_its_own_data_unless_other_data_is_asked_for(
    card: Card, clothes: Path
) -> None:
    own = data_to_score_on({"net": card}, None)
    assert (own.name, own.classes) == (str(clothes), CLOTHES)
    assert trained_elsewhere(card, own) is None
    other = data_to_score_on({"net": card}, "mnist")
    assert other.name == "mnist"
    assert trained_elsewhere(card, other) == f"{clothes.name}, whose classes differ"


def test_data_that_is_gone_or_has_changed_is_told_with_what_to_do(
    card: Card, clothes: Path, tmp_path: Path, refusal: Callable[..., str]
) -> None:
    def elsewhere(folder: Path) -> Card:
        data = card.trial.data.model_copy(update={"dataset": str(folder)})
        return card.model_copy(update={"trial": card.trial.model_copy(update={"data": data})})

    message = refusal(data_of, elsewhere(tmp_path / "moved"), "net")
    assert message.startswith(
        f"net: expected the data it was trained on, {str(tmp_path / 'moved')!r}, which is not available"
    )
    assert message.endswith("set --data to its place or to other data")
    changed = Path(shutil.copytree(clothes, tmp_path / "changed"))
    shutil.copy(changed / "train-labels-idx1-ubyte", changed / "spare")
    labels = bytearray((changed / "t10k-labels-idx1-ubyte").read_bytes())
    labels[-1] = (labels[-1] + 1) % 10
    (changed / "t10k-labels-idx1-ubyte").write_bytes(labels)
    assert "found other contents there" in refusal(data_of, elsewhere(changed), "net")


def test_networks_of_different_data_are_scored_side_by_side_only_where_the_data_is_named(
    card: Card, clothes: Path, refusal: Callable[..., str]
) -> None:
    cards = {"best": check_bundle(find_bundle("best")).card, "net": card}
    message = refusal(data_to_score_on, cards, None)
    assert message == (
        f"expected networks that were trained on the same data, received best (mnist) and net "
        f"({clothes.name}); "
        "set --data to what they are scored on"
    )
    assert data_to_score_on(cards, str(clothes)).name == str(clothes)


@pytest.mark.parametrize("name", ["best", "cnn", "mlp"])
def test_the_networks_that_come_with_digitlab_read_digits(name: str) -> None:
    card = check_bundle(find_bundle(name)).card
    assert card.classes == DIGITS
    require_digits(card, name)


def test_the_data_names_the_classes_of_a_card_that_is_older_than_their_names() -> None:
    card = check_bundle(find_bundle("mlp")).card.model_copy(update={"classes": None})
    assert classes_of(card) == DIGITS
    assert refusal_to_read(card) is None


def test_digits_are_not_read_with_a_network_of_other_classes(
    card: Card, bundle: Path, rewrite: Rewrite, refusal: Callable[..., str]
) -> None:
    message = refusal(require_digits, card, "net")
    assert message == (
        "net: expected a network of the digits 0 to 9, received one of other classes (Top, Trouser, Pullover "
        "...): score it with  digitlab evaluate ; name a network of digits"
    )
    rewrite(lambda values: values.update(classes=list(CLOTHES)))
    assert "received one of other classes (Top, Trouser, Pullover" in refusal(Recognizer, bundle)


@pytest.mark.parametrize(("drawn_digits", "reads"), [(None, False), (0.11, False), (0.62, True)])
def test_where_classes_have_no_names_drawn_digits_tell_whether_they_are_digits(
    drawn_digits: float | None, reads: bool, card: Card
) -> None:
    nameless = card.model_copy(update={"classes": None, "drawn_digits": drawn_digits})
    message = refusal_to_read(nameless)
    assert (message is None) == reads
    if message is not None:
        assert CLASSES_FILE in message
        assert ("reads 11 % of drawn digits" in message) == (drawn_digits is not None)


def test_a_card_of_fewer_names_than_classes_is_refused(
    bundle: Path, rewrite: Rewrite, refusal: Callable[..., str]
) -> None:
    rewrite(lambda values: values.update(classes=list(CLOTHES[:9])))
    assert "classes: expected 10 names, as its data has classes, received 9" in refusal(check_bundle, bundle)


def test_every_shipped_card_says_which_code_trained_and_which_wrote_it() -> None:
    for name in shipped_names():
        card = check_bundle(find_bundle(name)).card
        assert card.trial.id == card.trial_id
        assert card.commit is not None
        assert card.clean is True
        assert card.written_by is None or card.written_clean is True


def test_the_card_keeps_the_names_as_json(card: Card) -> None:
    assert json.loads(card.to_bytes())["classes"] == list(CLOTHES)
    assert Card.from_json(card.to_bytes().decode()) == card
