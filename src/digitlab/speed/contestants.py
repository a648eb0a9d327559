"""The contestants of the board: digitlab's recipes, and peers in their published settings."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from digitlab.errors import SpecError
from digitlab.spec.library import recipe_names, resolve_recipe
from digitlab.spec.plan import resolve_precision
from digitlab.spec.recipe import Recipe
from digitlab.speed.book import key_of
from digitlab.speed.places import peers_folder, peers_installed, peers_python, training_code
from digitlab.training.process import native_precision

OUR_RECIPES = ("fast", "fast-994", "fast-995")
"""Names of digitlab's recipes on the board; those that are not in the package are skipped."""

FLOAT32 = "float32"


@dataclass(frozen=True)
class Contestant:
    """A program that trains a network, in a process of its own.

    Attributes:
        name: name, unique on the board.
        key: hash of all that decides how it trains; see `book.key_of`.
        command: command that trains once, without the seed and, for a peer, the file of the digits.
        published: published accuracy of its full schedule, 0..1 (None: it is a recipe of digitlab).
        source: source of the published accuracy.
    """

    name: str
    key: str
    command: tuple[str, ...]
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


PEERS = (
    Peer(
        "keras-example", "keras_example.py", 0.9922, "keras.io, Simple MNIST convnet", own_environment=False
    ),
    # The example's own page gives no accuracy: this is from two runs by the author of the one-epoch recipe.
    Peer("pytorch-example", "torch_example.py", 0.99185, "train_mnist_fast, 0_Pytorch_initial"),
    Peer("pytorch-one-epoch", "torch_one_epoch.py", 0.9904, "train_mnist_fast, 8_Final"),
    Peer("sklearn-example", "sklearn_example.py", 0.9531, "scikit-learn, plot_mnist_filters"),
    Peer("sklearn-benchmark", "sklearn_benchmark.py", 0.9776, "scikit-learn, bench_mnist, MLP_adam"),
)


class Lineup(NamedTuple):
    """Contestants that take part, and sentences that say why others do not."""

    contestants: tuple[Contestant, ...]
    skipped: tuple[str, ...]


def line_up(names: Sequence[str], threads: Sequence[int]) -> Lineup:
    """Select the contestants.

    Args:
        names: names of peers, and names or files of recipes; empty for the whole board.
        threads: numbers of threads of digitlab's recipes, each a contestant of its own.

    Raises:
        SpecError: a name is neither a peer's nor a recipe's, or two recipes have the same name.
    """
    peers = {peer.name for peer in PEERS}
    here = [name for name in OUR_RECIPES if name in recipe_names()]
    named = [name for name in dict.fromkeys(names) if name not in peers] if names else here
    recipes = [resolve_precision(_recipe(name), native_precision()) for name in named]
    _require_different_names(recipes)
    wanted = [peer for peer in PEERS if not names or peer.name in names]
    absent = {peer.name: reason for peer in wanted if (reason := _absence(peer))}
    ours = [_ours(recipe, count) for recipe in recipes for count in threads]
    others = [each for peer in wanted if peer.name not in absent for each in _rows(peer, recipes)]
    skipped = [f"{name}: {reason}" for name, reason in absent.items()]
    if recipes and {recipe.training.precision for recipe in recipes} == {FLOAT32}:
        skipped += [
            f"{peer.name} in our precision: ours is {FLOAT32} here, as its own"
            for peer in wanted
            if not peer.own_environment
        ]
    if not names:
        skipped += [f"{name}: there is no such recipe" for name in OUR_RECIPES if name not in here]
    return Lineup((*ours, *others), tuple(skipped))


def _recipe(name: str) -> Recipe:
    try:
        return resolve_recipe(name)
    except SpecError as error:
        raise SpecError(f"{error}; or a peer: {', '.join(peer.name for peer in PEERS)}") from None


def _require_different_names(recipes: Iterable[Recipe]) -> None:
    counts = Counter(recipe.name for recipe in recipes)
    if twice := [name for name, count in counts.items() if count > 1]:
        raise SpecError(
            f"recipes: expected a name of its own in each file, received two called {', '.join(twice)}; "
            "change the line  name = ...  of one"
        )


def _ours(recipe: Recipe, threads: int) -> Contestant:
    values = recipe.model_copy(update={"description": ""}).to_json()
    command = ("-m", "digitlab.speed.ours", "--recipe", values, "--threads", str(threads))
    counted = "1 thread" if threads == 1 else f"{threads} threads"
    key = key_of(values, str(threads), training_code("ours"))
    return Contestant(f"{recipe.name}, {counted}", key, (sys.executable, *command))


def _absence(peer: Peer) -> str:
    """Return why a peer cannot take part; empty if it can."""
    if peers_folder() is None:
        return "its script is in the clone of digitlab: install digitlab from there"
    if peer.own_environment and not peers_installed():
        return "it is not installed:  digitlab bench training --install-peers  installs it"
    return ""


def _rows(peer: Peer, recipes: Iterable[Recipe]) -> list[Contestant]:
    """Return a peer as it is published; the Keras example also in the precisions of the recipes."""
    precisions = [FLOAT32]
    if not peer.own_environment:
        precisions += sorted({recipe.training.precision for recipe in recipes} - {FLOAT32})
    return [_peer(peer, precision) for precision in precisions]


def _peer(peer: Peer, precision: str) -> Contestant:
    folder = peers_folder()
    assert folder is not None  # else it is absent
    script = folder / peer.script
    python = str(peers_python()) if peer.own_environment else sys.executable
    # Without the scripts of other peers: a change to one of them leaves the runs of this peer valid.
    others = {each.script for each in PEERS} - {peer.script}
    files = [path for path in sorted(folder.glob("*.*")) if path.suffix in {".py", ".txt"}]
    decisive = [path.read_text("utf-8") for path in files if path.name not in others]
    return Contestant(
        name=peer.name if precision == FLOAT32 else f"{peer.name}, {precision}",
        key=key_of(peer.script, precision, *decisive),
        command=(python, str(script), "--precision", precision),
        published=peer.published,
        source=peer.source,
    )
