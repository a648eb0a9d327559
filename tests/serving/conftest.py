from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlab.bundle.files import find_bundle
from digitlab.bundle.runtime import Classifier, load_classifier
from digitlab.serving.settings import Limits, Settings
from in_process import Client
from real_digits import read_mnist
from serving_process import ServingProcess

MakeClient = Callable[..., Client]


@pytest.fixture(scope="session")
def network() -> Path:
    """The bundle that the tests are served by."""
    return find_bundle("mlp")


@pytest.fixture(scope="session")
def classifier(network: Path) -> Classifier:
    return load_classifier(network)


@pytest.fixture(scope="session")
def digits() -> np.ndarray:
    """Test digits, uint8 [200, 28, 28]."""
    return read_mnist().x_test[:200]


@pytest.fixture
def make_client(network: Path, tmp_path: Path) -> Iterator[MakeClient]:
    """Make clients of services in this process, with limits and a store of their own."""
    opened: list[Client] = []

    def make(address: str = "127.0.0.1", limits: Limits | None = None, results: Path | None = None) -> Client:
        store = (results or tmp_path) / "store.sqlite"
        settings = Settings(
            model=str(network), allowed_hosts=("desk.example",), store=store, limits=limits or Limits()
        )
        opened.append(Client(settings, address))
        return opened[-1]

    yield make
    for client in opened:
        client.__exit__()


@pytest.fixture(scope="module")
def client(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client on this machine, of a service in this process."""
    store = tmp_path_factory.mktemp("results") / "store.sqlite"
    with Client(Settings(model=str(network), allowed_hosts=("desk.example",), store=store)) as opened:
        yield opened


@pytest.fixture(scope="module")
def start_serving(
    network: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., ServingProcess]]:
    """Start services in processes of their own; one for each set of limits, shared by a module's tests."""
    running: dict[str, ServingProcess] = {}

    def start(fresh: bool = False, model: Path = network, **limits: Any) -> ServingProcess:
        key = f"{len(running) if fresh else 'shared'} {model} {limits}"
        if key not in running:
            running[key] = ServingProcess(model, tmp_path_factory.mktemp("serving"), limits)
        return running[key]

    yield start
    for each in running.values():
        each.__exit__()
