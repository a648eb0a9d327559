"""The networks that a service offers: digitlab's, the user's, and the one that it is started with.

A client names a network by its id in this list, never by a path.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from digitlab.bundle.card import Card
from digitlab.bundle.files import PRETRAINED, check_bundle, find_bundle, shipped_names
from digitlab.bundle.runtime import Classifier
from digitlab.errors import BundleError
from digitlab.recognition import Recognizer
from digitlab.serving.batching import Batcher, Workers
from digitlab.serving.files import signature
from digitlab.serving.metrics import Metrics
from digitlab.serving.refusals import RefusalError
from digitlab.serving.settings import Settings
from digitlab.training.process import available_cores

MOST_LOADED = 8
"""Networks held in memory beside the default one; beyond them, the least recently used one is dropped."""

MOST_WORKERS = 8
"""Largest number of threads that compute; the event loop that feeds them is a single thread."""

_MOST_LISTED = 1000


@dataclass(frozen=True)
class NetworkEntry:
    """A network in the list.

    Attributes:
        id: identifier by which clients name the network.
        origin: source of the network: digitlab, the user, or the command that started the service.
        folder: folder of its bundle.
    """

    id: str
    origin: Literal["shipped", "user", "given"]
    folder: Path


@dataclass(frozen=True, eq=False)
class Network:
    """A loaded network.

    Attributes:
        entry: entry of the network in the list.
        signature: signature of its files when they were read.
        recognizer: recognizer that reads pictures with the network.
        batcher: queue before the network.
    """

    entry: NetworkEntry
    signature: tuple[int, ...]
    recognizer: Recognizer
    batcher: Batcher

    def is_current(self) -> bool:
        """Return whether its files are unchanged: a user may train a network anew while it is served."""
        return self.entry.origin != "user" or self.signature == _signature(self.entry.folder)

    @property
    def classifier(self) -> Classifier:
        """The classifier of the network, which has passed its self-test."""
        return self.recognizer.classifier


class Networks:
    """The networks on offer, each loaded on its first use, in one event loop.

    Args:
        settings: settings of the service.
        metrics: metrics that record the batches.

    Attributes:
        default: entry of the network that answers where no other is requested.

    Raises:
        BundleError: the default network has no bundle.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._limits = settings.limits
        self._workers: Workers | None = None
        self._metrics = metrics
        self._users = settings.workspace.models
        self.default = _default_entry(settings.model)
        self._loaded: OrderedDict[str, Network] = OrderedDict()
        self._loading: dict[str, asyncio.Task[Network]] = {}
        self._cards: dict[Path, tuple[tuple[int, ...], Card | str]] = {}

    @property
    def ready(self) -> bool:
        """Whether the default network is loaded and has passed its self-test."""
        return self.default.id in self._loaded

    @property
    def waiting(self) -> int:
        """Number of images queued or being computed, over all networks."""
        return sum(network.batcher.waiting for network in self._loaded.values())

    def entries(self) -> list[NetworkEntry]:
        """List the networks on offer, the default one first."""
        found = [self.default]
        found += [NetworkEntry(name, "shipped", PRETRAINED / name) for name in shipped_names()]
        if self._users.is_dir():
            folders = sorted(path for path in self._users.iterdir() if path.is_dir() and path.name[0] != ".")
            found += [NetworkEntry(f"user:{path.name}", "user", path) for path in folders[:_MOST_LISTED]]
        unique: dict[Path, NetworkEntry] = {}
        for entry in found:
            unique.setdefault(entry.folder.resolve(), entry)
        return list(unique.values())

    def find(self, name: str | None) -> NetworkEntry:
        """Find a network in the list.

        Args:
            name: id of the network; None for the default one.

        Raises:
            RefusalError: no network has that id.
        """
        if name is None:
            return self.default
        for entry in self.entries():
            if entry.id == name:
                return entry
        raise RefusalError(404, f"no network {name[:80]!r}: GET /api/models lists the networks")

    def card(self, entry: NetworkEntry) -> Card:
        """Check a network's files and read its card; cached until the files change.

        Raises:
            BundleError: the bundle is not valid.
        """
        signature = _signature(entry.folder)
        known, card = self._cards.get(entry.folder, (None, ""))
        if known != signature:
            try:
                card = check_bundle(entry.folder).card
            except BundleError as error:
                card = str(error)
            self._cards[entry.folder] = signature, card
        if isinstance(card, str):
            raise BundleError(card)
        return card

    async def get(self, name: str | None = None) -> Network:
        """Return a network, loading it first if necessary.

        Args:
            name: id of the network; None for the default one.

        Raises:
            RefusalError: no network has that id.
            BundleError: the bundle is not valid.
        """
        key = self.default.id if name is None else name
        loaded = self._loaded.get(key)
        if loaded is not None and loaded.is_current():
            self._loaded.move_to_end(key)
            return loaded
        entry = self.find(name)
        task = self._loading.get(entry.id)
        if task is None:
            task = self._loading[entry.id] = asyncio.ensure_future(self._load(entry))
            task.add_done_callback(lambda _: self._loading.pop(entry.id, None))
        return await asyncio.shield(task)  # one cancelled request must not cancel the loading for others

    async def reload(self) -> None:
        """Load the default network again, and drop the others; on an error, all stay as they are.

        Raises:
            BundleError: the new bundle is not valid.
        """
        await self._load(self.default)
        for key in [key for key in self._loaded if key != self.default.id]:
            del self._loaded[key]

    def close(self) -> None:
        """Stop the threads that compute, once they have computed what is queued."""
        if self._workers is not None:
            self._workers.close()

    async def _load(self, entry: NetworkEntry) -> Network:
        signature = _signature(entry.folder)
        recognizer = await asyncio.to_thread(Recognizer, entry.folder)
        if self._workers is None:
            self._workers = Workers(min(available_cores(), MOST_WORKERS))
        classify = recognizer.classifier.probabilities
        batcher = Batcher(classify, self._workers, self._limits, self._metrics)
        network = self._loaded[entry.id] = Network(entry, signature, recognizer, batcher)
        others = [key for key in self._loaded if key not in (self.default.id, entry.id)]
        if len(others) > MOST_LOADED:
            del self._loaded[others[0]]
        return network


def _signature(folder: Path) -> tuple[int, ...]:
    """Return a value that changes whenever a bundle's files do."""
    return signature(sorted(folder.glob("*")))


def _default_entry(model: str) -> NetworkEntry:
    folder = find_bundle(model).resolve()
    if folder.parent == PRETRAINED.resolve():
        return NetworkEntry(folder.name, "shipped", folder)
    name = f"given:{folder.name}" if folder.name in shipped_names() else folder.name
    return NetworkEntry(name, "given", folder)
