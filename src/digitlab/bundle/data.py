"""The data that networks know: which classes they tell apart, and what they are scored on."""

from __future__ import annotations

from collections.abc import Mapping

from digitlab.bundle.card import Card
from digitlab.data import Dataset, load
from digitlab.data.catalog import known_entry
from digitlab.data.classes import DIGITS
from digitlab.errors import BundleError, DataError

READS_DIGITS = 0.4
"""Share of drawn digits from which on a network of nameless classes is taken for one of digits.

A network of other classes reads a tenth by chance, one of digits upside down at most the three that look the
same; one that learned 600 of MNIST's digits reads half, and those that come with digitlab 0.89 to 1.00.
"""


def classes_of(card: Card) -> tuple[str, ...] | None:
    """Give the names of a network's ten classes.

    Returns:
        Those of its card, or of its data where the catalogue has that; None where neither is known.
    """
    if card.classes is not None:
        return card.classes
    known = known_entry(card.trial.data.dataset, card.trial.data.fingerprint)
    return known.classes if known else None


def refusal_to_read(card: Card) -> str | None:
    """Say why digits cannot be read with a network (None: they can).

    Its classes must be the digits 0 to 9; where they have no names, it must have read drawn digits.
    """
    classes = classes_of(card)
    if classes is not None:
        if classes == DIGITS:
            return None
        named = ", ".join(classes[:3])
        return (
            f"expected a network of the digits 0 to 9, received one of other classes ({named} ...): "
            "digitlab evaluate scores it; name a network of digits to read with"
        )
    if card.drawn_digits is not None and card.drawn_digits >= READS_DIGITS:
        return None
    share = card.drawn_digits
    tried = "" if share is None else f" and that reads {100 * share:.0f} % of drawn digits"
    return (
        f"expected a network of the digits 0 to 9, received one whose classes have no names{tried}: where "
        "they are digits, write 0 to 9 as the ten lines of a classes.txt beside its data and train it again"
    )


def require_digits(card: Card, name: str) -> None:
    """Refuse to read digits with a network of other classes.

    Args:
        card: the network's card.
        name: by which the network was asked for.

    Raises:
        BundleError: its classes are not the digits 0 to 9.
    """
    refusal = refusal_to_read(card)
    if refusal is not None:
        raise BundleError(f"{name}: {refusal}")


def data_of(card: Card, name: str) -> Dataset:
    """Load the data that a network was trained on.

    Args:
        card: the network's card.
        name: by which the network was asked for.

    Raises:
        BundleError: it is not where the card says, or has other contents now.
    """
    data = card.trial.data
    cure = "say with --data where it is, or which other data is meant"
    try:
        dataset = load(data.dataset)
    except DataError as error:
        raise BundleError(
            f"{name}: expected the data it was trained on, {data.dataset!r}, which is not at hand "
            f"({error}); {cure}"
        ) from None
    if dataset.fingerprint != data.fingerprint:
        raise BundleError(
            f"{name}: expected the data it was trained on, {data.dataset!r}, found other contents there "
            f"(fingerprint {dataset.fingerprint[:12]} instead of {(data.fingerprint or '')[:12]}); {cure}"
        )
    return dataset


def data_to_score_on(cards: Mapping[str, Card], asked: str | None) -> Dataset:
    """Load the data that networks are scored on: their own, unless other data is asked for.

    Args:
        cards: of the networks, one or more, by the name by which each was asked for.
        asked: a name in the catalogue, or a folder; None stands for the networks' own.

    Raises:
        BundleError: it is not at hand, or they were trained on several.
        DataError: what is asked for is none.
    """
    if asked is not None:
        return load(asked)
    (first, card), *others = cards.items()
    for name, other in others:
        if other.trial.data.fingerprint != card.trial.data.fingerprint:
            raise BundleError(
                f"expected networks that were trained on the same data, received {first} "
                f"({card.trial.data.name}) and {name} ({other.trial.data.name}); say with --data what they "
                "are scored on"
            )
    return data_of(card, first)


def trained_elsewhere(card: Card, dataset: Dataset) -> str | None:
    """Say on which data a network was trained where it is other than a data set (None: it is that one)."""
    data = card.trial.data
    if data.fingerprint == dataset.fingerprint:
        return None
    classes, theirs = classes_of(card), dataset.classes
    others = ", whose classes are others" if None not in (classes, theirs) and classes != theirs else ""
    return f"{data.name}{others}"
