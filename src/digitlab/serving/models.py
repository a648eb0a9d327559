"""Routes of the networks: their list, their cards, and the comparison of two."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from functools import cached_property
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Response

from digitlab.bundle.data import require_digits
from digitlab.data import load
from digitlab.data.known_labels import known_corrections
from digitlab.errors import BundleError
from digitlab.serving.comparison import Candidate, TestDigits, compare
from digitlab.serving.networks import Network, NetworkEntry, Networks
from digitlab.serving.openapi import errors
from digitlab.serving.refusals import json_response
from digitlab.serving.service import Service

_MOST_KEPT = 16

NetworkName = Annotated[
    str, Query(description="Id of a network, as GET /api/models lists them.", max_length=300)
]


class Comparisons:
    """Comparisons of networks on the test digits; the probabilities of recent networks are cached.

    Args:
        service: the service whose networks are compared.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._kept: OrderedDict[Network, asyncio.Task[np.ndarray]] = OrderedDict()

    async def of(self, a: str, b: str) -> dict[str, Any]:
        """Compare two networks; see `comparison.compare`.

        Raises:
            RefusalError: no network has one of the ids, or the queue of comparisons is full.
            BundleError: a network's bundle is not valid.
        """
        networks = [await self._service.networks.get(name) for name in (a, b)]
        first, second = [await self._probabilities(network) for network in networks]
        digits = await self._service.slow.run(lambda: self._digits)
        return await self._service.slow.run(compare, Candidate(a, first), Candidate(b, second), digits)

    async def _probabilities(self, network: Network) -> np.ndarray:
        if network not in self._kept:
            digits = await self._service.slow.run(lambda: self._digits)
            work = self._service.slow.run(network.classifier.probabilities, digits.images)
            self._kept[network] = asyncio.ensure_future(work)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        try:
            return await asyncio.shield(self._kept[network])
        except Exception:
            self._kept.pop(network, None)
            raise

    @cached_property
    def _digits(self) -> TestDigits:
        dataset = load("mnist")
        corrected = known_corrections(dataset.fingerprint)
        return TestDigits(dataset.name, dataset.x_test.copy(), dataset.y_test.copy(), corrected)


def router(service: Service) -> APIRouter:
    """Create the routes of the networks."""
    routes = APIRouter(prefix="/api", tags=["networks"])
    networks, comparisons = service.networks, Comparisons(service)

    @routes.get("/models", summary="List the networks")
    async def list_networks() -> Response:
        entries = await service.heavy.run(lambda: [_listed(networks, entry) for entry in networks.entries()])
        return json_response({"default": networks.default.id, "models": entries})

    @routes.get("/models/{model}", summary="Show a network's card", responses=errors(404, 422, 503))
    async def show_network(model: str) -> Response:
        entry = networks.find(model)
        card = await service.heavy.run(networks.card, entry)
        return json_response({**_named(entry), "card": card.to_values()})

    @routes.get("/compare", summary="Compare two networks on the test set", responses=errors(404, 422, 503))
    async def compare_networks(a: NetworkName, b: NetworkName) -> Response:
        return json_response(await comparisons.of(a, b))

    return routes


def _named(entry: NetworkEntry) -> dict[str, Any]:
    path = None if entry.origin == "shipped" else str(entry.folder)
    return {"id": entry.id, "title": entry.folder.name, "origin": entry.origin, "path": path}


def _listed(networks: Networks, entry: NetworkEntry) -> dict[str, Any]:
    try:
        card = networks.card(entry)
        require_digits(card, entry.id)
    except BundleError as error:
        return {**_named(entry), "error": str(error)}
    return {
        **_named(entry),
        "error": None,
        "recipe": card.recipe,
        "data": card.trial.data.name,
        "parameters": card.parameters,
        "multiply_adds": card.multiply_adds,
        "test_error": card.test.error_percent,
        "validation_error": card.validation.error_percent if card.validation else None,
        "train_seconds": card.train_seconds,
    }
