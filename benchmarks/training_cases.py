"""Programs that train for the benchmark: digitlab's recipes, and peers in their published settings."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from case import Case, key_of, training_code
from paths import FOLDER, PEERS, peers_installed, peers_python

from digitlab.errors import SpecError
from digitlab.spec.library import recipe_names, resolve_recipe
from digitlab.spec.plan import resolve_precision
from digitlab.spec.recipe import Recipe
from digitlab.training.process import native_precision

OUR_RECIPES = ("fast", "fast-994", "fast-995")
"""Names of digitlab's recipes in the benchmark; those that are not in the package are skipped."""

FLOAT32 = "float32"


@dataclass(frozen=True)
class TrainingCase(Case):
    """A program that trains a network.

    Attributes:
        published: published accuracy of its full schedule, 0..1 (None: it is a recipe of digitlab).
        source: source of the published accuracy.
    """

    published: float | None = None
    source: str = ""

    @property
    def ours(self) -> bool:
        """Whether it is a recipe of digitlab."""
        return self.published is None


class Peer(NamedTuple):
    """A peer as it is published.

    Attributes:
        name: name, unique among peers.
        script: name of its script in `benchmarks/peers`.
        published: published accuracy of its full schedule, 0..1.
        source: source of the published accuracy.
        own_environment: whether it needs packages that digitlab does not need.
    """

    name: str
    script: str
    published: float
    source: str
    own_environment: bool = True


PUBLISHED_PEERS = (
    Peer(
        "keras-example", "keras_example.py", 0.9922, "keras.io, Simple MNIST convnet", own_environment=False
    ),
    # The example's own page gives no accuracy: this is from two runs by the author of the one-epoch recipe.
    Peer("pytorch-example", "torch_example.py", 0.99185, "train_mnist_fast, 0_Pytorch_initial"),
    Peer("pytorch-one-epoch", "torch_one_epoch.py", 0.9904, "train_mnist_fast, 8_Final"),
    Peer("sklearn-example", "sklearn_example.py", 0.9531, "scikit-learn, plot_mnist_filters"),
    Peer("sklearn-benchmark", "sklearn_benchmark.py", 0.9776, "scikit-learn, bench_mnist, MLP_adam"),
)


class Selection(NamedTuple):
    """Cases to measure, and sentences that say why others are not.

    Attributes:
        cases: cases to measure.
        skipped: one sentence for each case that cannot be measured here.
    """

    cases: tuple[TrainingCase, ...]
    skipped: tuple[str, ...]


def select(names: Sequence[str], threads: Sequence[int]) -> Selection:
    """Select the cases.

    Args:
        names: names of peers, and names or files of recipes; empty for all of the benchmark.
        threads: numbers of threads of digitlab's recipes, each a case of its own.

    Raises:
        SpecError: a name is neither a peer's nor a recipe's, or two recipes have the same name.
    """
    recipes = _select_recipes(names)
    cases = [_recipe_case(recipe, count) for recipe in recipes for count in threads]
    peers = [peer for peer in PUBLISHED_PEERS if not names or peer.name in names]
    skipped = []
    for peer in peers:
        reason = _unavailable_reason(peer)
        if reason:
            skipped.append(f"{peer.name}: {reason}")
        else:
            cases += _peer_cases(peer, recipes)
    if recipes and all(recipe.training.precision == FLOAT32 for recipe in recipes):
        for peer in peers:
            if _has_our_precision(peer):
                skipped.append(f"{peer.name} in our precision: ours is {FLOAT32} here, as its own")
    if not names:
        for name in OUR_RECIPES:
            if name not in recipe_names():
                skipped.append(f"{name}: there is no such recipe")
    return Selection(tuple(cases), tuple(skipped))


def _select_recipes(names: Sequence[str]) -> list[Recipe]:
    """Resolve the recipes among the names, each once; without names, those of the benchmark."""
    peers = {peer.name for peer in PUBLISHED_PEERS}
    if names:
        selected = [name for name in dict.fromkeys(names) if name not in peers]
    else:
        selected = [name for name in OUR_RECIPES if name in recipe_names()]
    recipes = [resolve_precision(_recipe(name), native_precision()) for name in selected]
    _require_different_names(recipes)
    return recipes


def _unavailable_reason(peer: Peer) -> str:
    """Return why a peer cannot be measured here (empty: it can)."""
    if peer.own_environment and not peers_installed():
        return "it is not installed:  python -m benchmarks training --install-peers  installs it"
    return ""


def _has_our_precision(peer: Peer) -> bool:
    """Return whether a peer can be trained in the precision of digitlab's recipes: Keras's example alone."""
    return not peer.own_environment


def _recipe(name: str) -> Recipe:
    try:
        return resolve_recipe(name)
    except SpecError as error:
        peers = ", ".join(peer.name for peer in PUBLISHED_PEERS)
        raise SpecError(f"{error}; or a peer: {peers}") from None


def _require_different_names(recipes: Iterable[Recipe]) -> None:
    counts = Counter(recipe.name for recipe in recipes)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise SpecError(
            f"recipes: expected a name of its own in each file, received two called {', '.join(twice)}; "
            "change the line  name = ...  of one"
        )


def _recipe_case(recipe: Recipe, threads: int) -> TrainingCase:
    # Without the description, which decides nothing: runs count although it changes.
    values = recipe.model_copy(update={"description": ""}).to_json()
    program = "train_once.py"
    command = (sys.executable, str(FOLDER / program), "--recipe", values, "--threads", str(threads))
    count = "1 thread" if threads == 1 else f"{threads} threads"
    key = key_of(values, str(threads), training_code(program))
    return TrainingCase(f"{recipe.name}, {count}", key, command)


def _peer_cases(peer: Peer, recipes: Iterable[Recipe]) -> list[TrainingCase]:
    """Return a peer as it is published; the Keras example also in the precisions of the recipes."""
    precisions = [FLOAT32]
    if _has_our_precision(peer):
        precisions += sorted({recipe.training.precision for recipe in recipes} - {FLOAT32})
    return [_peer_case(peer, precision) for precision in precisions]


def _peer_case(peer: Peer, precision: str) -> TrainingCase:
    python = str(peers_python()) if peer.own_environment else sys.executable
    # Without the scripts of other peers: a change to one of them leaves the runs of this peer valid.
    others = {other.script for other in PUBLISHED_PEERS} - {peer.script}
    decisive = []
    for path in sorted(PEERS.glob("*.*")):
        if path.suffix in {".py", ".txt"} and path.name not in others:
            decisive.append(path.read_text("utf-8"))
    return TrainingCase(
        name=peer.name if precision == FLOAT32 else f"{peer.name}, {precision}",
        key=key_of(peer.script, precision, *decisive),
        command=(python, str(PEERS / peer.script), "--precision", precision),
        published=peer.published,
        source=peer.source,
    )
