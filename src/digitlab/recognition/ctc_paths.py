"""Connectionist temporal classification (CTC): exact probability and alignment of a string.

For each frame, a few columns of the row, the network outputs the probabilities of the symbols and of the
blank, which stands for none of them. A path takes one of these 12 outputs in each frame; without its
repetitions, and then without its blanks, it is a string. A string's probability is the sum over its paths.

Source: Graves et al. 2006, Connectionist temporal classification.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from digitlab.spec.rows import ALPHABET, BLANK

INDEX = {symbol: index for index, symbol in enumerate(ALPHABET)}
"""Index of each symbol's output."""

_TINY = 1e-30  # in place of 0, whose logarithm is not finite


@dataclass(frozen=True)
class Span:
    """Frames of one character.

    Attributes:
        start: first frame.
        stop: frame after the last.
        peak: frame in which the character is likeliest.
    """

    start: int
    stop: int
    peak: int


def score(probabilities: np.ndarray, text: str) -> float:
    """Compute a string's log probability exactly, by the forward algorithm; -inf if it has no path.

    Args:
        probabilities: probabilities of the symbols and the blank in each frame, float [T, 12].
        text: the string, of the characters "0123456789?".
    """
    states, may_skip = _states(text)
    emitted = np.asarray(probabilities, float)[:, states]
    forward = np.zeros(len(states))
    forward[0] = 1.0  # as if a blank had preceded the first frame
    log_scale = 0.0
    for frame in emitted:
        reached = forward.copy()
        reached[1:] += forward[:-1]
        reached[2:] += np.where(may_skip[2:], forward[:-2], 0.0)
        forward = reached * frame
        scale = float(forward.sum())
        if scale == 0:
            return -np.inf
        forward /= scale
        log_scale += float(np.log(scale))
    ended = float(forward[-2:].sum())
    return log_scale + float(np.log(ended)) if ended else -np.inf


def align(probabilities: np.ndarray, text: str) -> list[Span]:
    """Find the frames of each character on the likeliest path of a string (Viterbi).

    Args:
        probabilities: probabilities of the symbols and the blank in each frame, float [T, 12].
        text: the string, of the characters "0123456789?".

    Returns:
        One span for each character, from left to right, without overlap.

    Raises:
        ValueError: the string needs more frames than there are.
    """
    needed = len(text) + sum(one == other for one, other in pairwise(text))
    if needed > len(probabilities):
        raise ValueError(
            f"align: expected {needed} frames or more for {text!r}, received {len(probabilities)}"
        )
    frames = np.asarray(probabilities, float)
    states, may_skip = _states(text)
    log_frames = np.log(np.maximum(frames, _TINY))
    path = _best_path(log_frames[:, states], may_skip)
    spans = []
    for state in range(1, len(states), 2):  # the characters; blanks are between them
        in_state = np.flatnonzero(path == state)
        peak = in_state[np.argmax(frames[in_state, states[state]])]
        spans.append(Span(int(in_state[0]), int(in_state[-1]) + 1, int(peak)))
    return spans


def _states(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the states of a string: its characters, and blanks around them.

    Returns:
        Output index of each state, int [2n + 1]; and whether the blank before it may be skipped, bool
        [2n + 1].
    """
    states = np.full(2 * len(text) + 1, BLANK)
    states[1::2] = [INDEX[symbol] for symbol in text]
    may_skip = np.zeros(len(states), bool)
    may_skip[2:] = (states[2:] != BLANK) & (states[2:] != states[:-2])
    return states, may_skip


def _best_path(log_emitted: np.ndarray, may_skip: np.ndarray) -> np.ndarray:
    """Return the likeliest sequence of states, int [T], by log probabilities, float [T, states]."""
    frame_count, state_count = log_emitted.shape
    # By staying, from the state before, and from the one before that.
    reached = np.full((3, state_count), -np.inf)
    best = np.full(state_count, -np.inf)
    best[0] = 0.0
    predecessor = np.zeros((frame_count, state_count), np.int8)  # 0, 1 or 2 states before
    for i, emitted in enumerate(log_emitted):
        reached[0] = best
        reached[1, 1:] = best[:-1]
        reached[2, 2:] = np.where(may_skip[2:], best[:-2], -np.inf)
        predecessor[i] = reached.argmax(axis=0)
        best = reached.max(axis=0) + emitted
    # A path ends in the last character or in the blank after it.
    state = int(np.argmax(best[-2:])) + max(state_count - 2, 0)
    path = np.empty(frame_count, int)
    for i in range(frame_count - 1, -1, -1):
        path[i] = state
        state -= int(predecessor[i, state])
    return path
