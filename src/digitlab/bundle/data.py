"""The data of networks: the classes that they distinguish, and the data set that they are scored on."""

from __future__ import annotations

from collections.abc import Mapping

from digitlab.bundle.card import Card
from digitlab.data import Dataset, load
from digitlab.data.catalog import known_entry
from digitlab.data.classes import DIGITS
from digitlab.errors import BundleError, DataError
from digitlab.spec.recipe import CLASSES

READS_DIGITS = 0.4
"""Smallest share of drawn digits classified correctly by a network whose unnamed classes count as digits.

A network of other classes reaches a tenth by chance, one of upside-down digits at most the three that look
the same; one trained on 600 digits of MNIST reaches half, and those that come with digitlab 0.89 to 1.00.
"""


def classes_of(card: Card) -> tuple[str, ...] | None:
    """Return the names of a network's classes.

    Returns:
        Names in its card, or in the catalogue entry of its data; None if neither exists.
    """
    if card.classes is not None:
        return card.classes
    known = known_entry(card.trial.data.dataset, card.trial.data.fingerprint)
    if known is None:
        return None
    return known.classes


def refusal_to_read(card: Card) -> str | None:
    """Return a message on why digits cannot be read with a network, or None if they can.

    Its classes must be the digits 0 to 9; if they are unnamed, it must classify enough drawn digits
    correctly.
    """
    classes = classes_of(card)
    if classes is not None:
        if classes == DIGITS:
            return None
        named = ", ".join(classes[:3])
        return (
            f"expected a network of the digits 0 to 9, received one of other classes ({named} ...): "
            "score it with  digitlab evaluate ; name a network of digits"
        )
    if card.trial.classes != CLASSES:
        return (
            f"expected a network of the digits 0 to 9, received one of {card.trial.classes} classes: "
            "score it with  digitlab evaluate ; name a network of digits"
        )
    share = card.drawn_digits
    if share is not None and share >= READS_DIGITS:
        return None
    tried = ""
    if share is not None:
        tried = f" and that reads {100 * share:.0f} % of drawn digits"
    return (
        f"expected a network of the digits 0 to 9, received one whose classes have no names{tried}: where "
        "they are digits, write 0 to 9 as the ten lines of a classes.txt beside its data and train it again"
    )


def require_digits(card: Card, name: str) -> None:
    """Raise an error if digits cannot be read with a network.

    Args:
        card: the network's card.
        name: name under which the network was requested, for the message.

    Raises:
        BundleError: the network's classes are not the digits 0 to 9.
    """
    refusal = refusal_to_read(card)
    if refusal is not None:
        raise BundleError(f"{name}: {refusal}")


def data_of(card: Card, name: str) -> Dataset:
    """Load the data that a network was trained on.

    Args:
        card: the network's card.
        name: name under which the network was requested, for the message.

    Raises:
        BundleError: the data is not where the card says, or its contents have changed.
    """
    data = card.trial.data
    trained_on = f"{name}: expected the data it was trained on, {data.dataset!r}"
    cure = "set --data to its place or to other data"
    try:
        dataset = load(data.dataset)
    except DataError as error:
        raise BundleError(f"{trained_on}, which is not available ({error}); {cure}") from None
    if dataset.fingerprint != data.fingerprint:
        there = dataset.fingerprint[:12]
        expected = (data.fingerprint or "")[:12]
        raise BundleError(
            f"{trained_on}, found other contents there (fingerprint {there} instead of {expected}); {cure}"
        )
    return dataset


def data_to_score_on(cards: Mapping[str, Card], asked: str | None) -> Dataset:
    """Load the data that networks are scored on: their own, unless other data is requested.

    Args:
        cards: cards of the networks, one or more, by the name under which each was requested.
        asked: name in the catalogue, or folder, of the data set; None for the networks' own.

    Raises:
        BundleError: the networks' own data cannot be loaded, or differs between them.
        DataError: the requested data set cannot be loaded.
    """
    if asked is not None:
        dataset = load(asked)
        for name, card in cards.items():
            if card.trial.classes != dataset.class_count:
                raise BundleError(
                    f"{name}: expected data of {card.trial.classes} classes, as it was trained on, received "
                    f"{dataset.name} of {dataset.class_count}; set --data to data of the same classes"
                )
        return dataset
    first, card = next(iter(cards.items()))
    for name, other in cards.items():
        if other.trial.data.fingerprint != card.trial.data.fingerprint:
            raise BundleError(
                f"expected networks that were trained on the same data, received {first} "
                f"({card.trial.data.name}) and {name} ({other.trial.data.name}); set --data to what they "
                "are scored on"
            )
    return data_of(card, first)


def trained_elsewhere(card: Card, dataset: Dataset) -> str | None:
    """Describe the data that a network was trained on; None if it is the given data set."""
    data = card.trial.data
    if data.fingerprint == dataset.fingerprint:
        return None
    classes = classes_of(card)
    if classes is None or dataset.classes is None or classes == dataset.classes:
        return data.name
    return f"{data.name}, whose classes differ"
