"""Micro-batching: who asks gets the right answer, together with others or alone, or is told to come back."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlab.bundle.runtime import Classifier
from digitlab.serving.batching import Batcher, Workers
from digitlab.serving.metrics import Metrics
from digitlab.serving.refusals import RefusalError
from digitlab.serving.settings import Limits

Classify = Callable[[np.ndarray], np.ndarray]


def marked(count: int, first: int = 0) -> np.ndarray:
    """Images that can be told from each other by their first pixels."""
    images = np.zeros((count, 28, 28), np.float32)
    images[:, 0, 0] = np.arange(first, first + count)
    return images


def echo(images: np.ndarray) -> np.ndarray:
    """Answer with the first pixel."""
    return np.repeat(images[:, 0, :1], 10, axis=1)


class Held:
    """A network that waits until it may answer, and remembers its batches."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.batches: list[int] = []

    def __call__(self, images: np.ndarray) -> np.ndarray:
        self.may_answer.wait(10)
        self.batches.append(len(images))
        return echo(images)


def run(
    classify: Classify,
    use: Callable[[Batcher], Coroutine[Any, Any, Any]],
    workers: int = 2,
    limits: Limits | None = None,
) -> Any:
    """Use a batcher in an event loop."""

    async def main() -> Any:
        threads = Workers(workers)
        try:
            return await use(Batcher(classify, threads, limits or Limits(), Metrics()))
        finally:
            threads.close()

    return asyncio.run(main())


@given(st.lists(st.integers(0, 150), min_size=1, max_size=40), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_everybody_gets_their_own_answer(sizes: list[int], workers: int) -> None:
    limits = Limits(queue_images=10_000)
    firsts = np.cumsum([0, *sizes[:-1]])

    async def use(batcher: Batcher) -> list[np.ndarray]:
        return await asyncio.gather(
            *(batcher.classify(marked(size, first)) for size, first in zip(sizes, firsts, strict=True))
        )

    answers = run(echo, use, workers, limits)
    for answer, size, first in zip(answers, sizes, firsts, strict=True):
        np.testing.assert_array_equal(answer, echo(marked(size, first)))


def test_batched_answers_equal_single_ones(classifier: Classifier, digits: np.ndarray) -> None:
    async def use(batcher: Batcher) -> list[np.ndarray]:
        return await asyncio.gather(*(batcher.classify(digits[place : place + 1]) for place in range(100)))

    together = np.concatenate(run(classifier.probabilities, use, limits=Limits(queue_images=100)))
    alone = np.concatenate([classifier.probabilities(digits[place : place + 1]) for place in range(100)])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_images_of_both_types_may_share_a_batch(classifier: Classifier, digits: np.ndarray) -> None:
    async def use(batcher: Batcher) -> list[np.ndarray]:
        both = digits[:1], digits[1:2].astype(np.float32)
        return await asyncio.gather(*(batcher.classify(images) for images in both))

    answers = run(classifier.probabilities, use, workers=1)
    np.testing.assert_allclose(np.concatenate(answers), classifier.probabilities(digits[:2]), atol=1e-5)


def test_what_arrives_meanwhile_is_one_batch() -> None:
    network = Held()

    async def use(batcher: Batcher) -> None:
        asks = [asyncio.ensure_future(batcher.classify(marked(1, place))) for place in range(20)]
        await asyncio.sleep(0.05)
        network.may_answer.set()
        await asyncio.gather(*asks)

    run(network, use, workers=1)
    assert sum(network.batches) == 20
    assert len(network.batches) <= 3


def test_a_full_queue_refuses_at_once_and_those_inside_are_answered() -> None:
    network = Held()

    async def use(batcher: Batcher) -> list[Any]:
        asks = [asyncio.ensure_future(batcher.classify(marked(1, place))) for place in range(20)]
        await asyncio.sleep(0.05)
        refused = [ask for ask in asks if ask.done()]
        network.may_answer.set()
        answers = await asyncio.gather(*asks, return_exceptions=True)
        assert len(refused) == 12
        assert batcher.waiting == 0
        return answers

    answers = run(network, use, limits=Limits(queue_images=8, queue_seconds=0))
    for place, answer in enumerate(answers):
        if place < 8:
            np.testing.assert_array_equal(answer, echo(marked(1, place)))
        else:
            assert isinstance(answer, RefusalError)
            assert (answer.status, answer.headers) == (503, {"Retry-After": "1"})


def test_a_long_request_leaves_room_for_others() -> None:
    async def use(batcher: Batcher) -> list[bool]:
        long = asyncio.ensure_future(batcher.classify(marked(1000)))
        while batcher.waiting == 0:
            await asyncio.sleep(0)
        short = await batcher.classify(marked(1, 5000))
        np.testing.assert_array_equal(short, echo(marked(1, 5000)))
        was_done = long.done()
        np.testing.assert_array_equal(await long, echo(marked(1000)))
        return [was_done]

    assert run(echo, use, workers=1, limits=Limits(queue_images=100, batch_images=64)) == [False]


def test_a_failure_of_the_network_is_told_to_those_who_asked_and_the_next_is_answered() -> None:
    def fails_for_zero(images: np.ndarray) -> np.ndarray:
        if not images[:, 0, 0].all():
            raise ValueError("no zero")
        return echo(images)

    async def use(batcher: Batcher) -> np.ndarray:
        with pytest.raises(ValueError, match="no zero"):
            await batcher.classify(marked(1))
        assert batcher.waiting == 0
        return await batcher.classify(marked(1, 7))

    assert run(fails_for_zero, use)[0, 0] == 7


def test_who_leaves_takes_nothing_from_the_others() -> None:
    network = Held()

    async def use(batcher: Batcher) -> np.ndarray:
        asks = [asyncio.ensure_future(batcher.classify(marked(1, place))) for place in range(3)]
        await asyncio.sleep(0.05)
        asks[1].cancel()
        network.may_answer.set()
        answers = await asyncio.gather(asks[0], asks[2])
        await asyncio.sleep(0.05)
        assert batcher.waiting == 0
        return np.concatenate(answers)

    assert run(network, use)[:, 0].tolist() == [0, 2]


def test_a_slow_network_has_a_short_queue_and_a_fast_one_a_long_one() -> None:
    def slow(images: np.ndarray) -> np.ndarray:
        end = time.thread_time() + 0.003
        while time.thread_time() < end:
            pass
        return echo(images)

    async def use(batcher: Batcher) -> int:
        for place in range(20):
            await batcher.classify(marked(1, place))
        return batcher.most_waiting

    assert run(slow, use) == Limits().queue_images
    assert run(echo, use) > Limits().queue_images


def test_a_slow_network_gets_small_batches() -> None:
    batches: list[int] = []

    def slow(images: np.ndarray) -> np.ndarray:
        batches.append(len(images))
        end = time.thread_time() + 0.001 * len(images)
        while time.thread_time() < end:
            pass
        return echo(images)

    async def use(batcher: Batcher) -> None:
        for _ in range(3):
            await asyncio.gather(*(batcher.classify(marked(1, place)) for place in range(30)))

    run(slow, use, workers=1)
    assert sum(batches) == 90
    assert max(batches[-5:]) <= 2
