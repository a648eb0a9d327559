"""CTC decoding: from the outputs of a row network, in one or several forward passes over a row, to strings.

Source: Graves et al. 2006, Connectionist temporal classification;
Graves and Jaitly 2014, Towards end-to-end speech recognition, for the prefix search.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digitlab.recognition.ctc_paths import INDEX, score
from digitlab.recognition.lengths import LengthRange
from digitlab.spec.rows import ALPHABET, BLANK

BEAMS = 8
"""Number of prefixes kept at each frame: 16 take 1.4 times as long and change no posterior by over 0.008."""
NEGLIGIBLE = 1e-5
"""Share of the best prefix's probability below which a prefix is dropped."""
QUIET = 1e-4
"""Probability below which all symbols of a frame are ignored: nine of ten frames are blank in this sense."""
MATTERS = 1e-3
"""Probability above which a string that the beams of one forward pass have lost is scored exactly there."""

MISTAKEN = 0.01
"""Prior probability that a row has another number of characters than the caller expects, because it is two
rows or half a row."""

_UNDERFLOW = 1e-100  # weight of the best prefix below which all are scaled up
_LEAST = 5e-324  # the smallest number above 0, so that prefixes of weight 0 are dropped
_TINY = 1e-30  # in place of 0, whose logarithm is not finite


@dataclass(frozen=True)
class Hypothesis:
    """A string that may be written in a row.

    Attributes:
        text: the string, of the characters "0123456789?".
        log_probability: natural logarithm of the string's probability, 0 or less.
    """

    text: str
    log_probability: float


def beam_search(
    probabilities: np.ndarray, lengths: LengthRange | None = None, beams: int = BEAMS
) -> list[Hypothesis]:
    """Find the likeliest strings by a prefix beam search, with a lookahead if the length is known.

    A prefix is weighted by its probability times that of reaching an admissible length from there, which is
    computed exactly beforehand. So no beam is spent on a prefix that becomes too long or too short.

    Args:
        probabilities: probabilities of the symbols and the blank in each frame, float [T, 12], 0..1.
        lengths: admissible numbers of characters of the row, if known.
        beams: number of prefixes kept after each frame, 1 or more.

    Returns:
        At most `beams` hypotheses, the likeliest first. With `lengths`, none of another length, and an empty
        list if no such string is possible: too few frames, or a probability below 1e-300. The probabilities
        are relative to all strings, so that they sum to `length_probability` at most.
    """
    frames = np.asarray(probabilities, float)
    if lengths is None:
        frames = _without_quiet(frames)
        lookahead = np.ones((len(frames) + 1, 1, BLANK + 1))  # any length is admissible
        least = NEGLIGIBLE
    else:
        lookahead, _ = _lookahead(frames, lengths)
        least = 0.0  # the lookahead is scaled anew at each frame: weights of two frames do not compare
    if not lookahead[0, 0, BLANK]:
        return []
    symbols_of_frame: list[list[int]] = [[] for _ in frames]
    for i, symbol in np.argwhere(frames[:, :BLANK] > least).tolist():
        symbols_of_frame[i].append(symbol)
    prefixes: dict[str, list[float]] = {"": [1.0, 0.0, float(lookahead[0, 0, BLANK])]}
    log_scale = 0.0
    for frame, symbols, lookahead_after in zip(frames.tolist(), symbols_of_frame, lookahead[1:], strict=True):
        best = max(weight for _, _, weight in prefixes.values())
        if best < _UNDERFLOW:
            log_scale += float(np.log(best))
            prefixes = {text: [value / best for value in state] for text, state in prefixes.items()}
            best = 1.0
        cutoff = max(least * best, _LEAST)
        prefixes = _grow(prefixes, frame, symbols, lookahead_after.tolist(), cutoff)
        if not prefixes:
            return []
        if len(prefixes) > beams:
            by_weight = sorted(prefixes.items(), key=lambda item: -item[1][2])
            prefixes = dict(by_weight[:beams])
    hypotheses = []
    for text, (in_blank, in_symbol, _) in prefixes.items():
        hypotheses.append(Hypothesis(text, log_scale + math.log(in_blank + in_symbol)))
    return sorted(hypotheses, key=lambda hypothesis: (-hypothesis.log_probability, hypothesis.text))


def length_probability(probabilities: np.ndarray, lengths: LengthRange) -> float:
    """Compute the probability that the row has an admissible length: the sum over all such strings.

    Args:
        probabilities: probabilities of the symbols and the blank in each frame, float [T, 12].
        lengths: admissible numbers of characters.

    Returns:
        The probability, 0..1.
    """
    lookahead, log_scale = _lookahead(np.asarray(probabilities, float), lengths)
    return float(lookahead[0, 0, BLANK] * np.exp(log_scale))


def combine(
    hypotheses: Sequence[Sequence[Hypothesis]],
    probabilities: Sequence[np.ndarray] = (),
    beams: int = BEAMS,
) -> list[Hypothesis]:
    """Combine the hypotheses of several forward passes over one row: the mean of their posteriors.

    Args:
        hypotheses: results of `beam_search`, one for each pass.
        probabilities: probabilities of the symbols and the blank in each pass, each float [T, 12]. With them,
            a likely string that one pass has lost because its beams were full counts with its exact
            probability; without them it counts as 0 there.
        beams: number of prefixes that `beam_search` kept.

    Returns:
        All strings that were found in any pass, the likeliest first.
    """
    posteriors = []
    highest: dict[str, float] = {}  # of any pass
    for of_pass in hypotheses:
        posterior = {hypothesis.text: math.exp(hypothesis.log_probability) for hypothesis in of_pass}
        posteriors.append(posterior)
        for text, probability in posterior.items():
            highest[text] = max(probability, highest.get(text, 0.0))
    total = dict.fromkeys(highest, 0.0)
    for i, posterior in enumerate(posteriors):
        # Beams that were not full have lost only negligible strings.
        was_full = bool(probabilities) and len(posterior) >= beams and min(posterior.values()) > MATTERS
        for text, probability in highest.items():
            if text in posterior:
                total[text] += posterior[text]
            elif was_full and probability > MATTERS:
                total[text] += math.exp(score(probabilities[i], text))
    means = {text: value / len(hypotheses) for text, value in total.items()}
    order = sorted(means, key=lambda text: (-means[text], text))
    return [Hypothesis(text, math.log(max(means[text], _TINY))) for text in order]


def decode(passes: Sequence[np.ndarray], lengths: LengthRange | None = None) -> list[Hypothesis]:
    """Decode a row from the outputs of several forward passes over it.

    With `lengths`, the probabilities are divided by the probability of an admissible length, to which
    `MISTAKEN` of the remaining probability is added: a row that clearly has another length keeps low
    probabilities, so that it is not read with confidence.

    Args:
        passes: probabilities of the symbols and the blank in each frame of each pass, each float [T, 12].
        lengths: admissible numbers of characters of the row, if known.

    Returns:
        Hypotheses, the likeliest first; empty if no string of an admissible length is possible.
    """
    combined = combine([beam_search(frames, lengths) for frames in passes], passes)
    if lengths is None:
        return combined
    admissible = float(np.mean([length_probability(frames, lengths) for frames in passes]))
    log_divisor = math.log(admissible + MISTAKEN * (1 - admissible))
    conditional = []
    for hypothesis in combined:
        log_probability = min(hypothesis.log_probability - log_divisor, 0.0)
        conditional.append(Hypothesis(hypothesis.text, log_probability))
    return conditional


def _grow(
    prefixes: dict[str, list[float]],
    frame: Sequence[float],
    symbols: Sequence[int],
    lookahead: Sequence[Sequence[float]],
    cutoff: float,
) -> dict[str, list[float]]:
    """Extend all prefixes by one frame: each stays as it is, or a symbol follows.

    Args:
        prefixes: each prefix with the probability of its paths that end in a blank, that of its paths that
            end in a symbol, and its weight: the sum of both, each times its lookahead.
        frame: probabilities of the symbols and the blank in this frame.
        symbols: indices of the symbols to consider.
        lookahead: probability after this frame that a prefix becomes admissible, by its length and the last
            output of its path.
        cutoff: weight below which a prefix is dropped.
    """
    longest = len(lookahead) - 1
    grown: dict[str, list[float]] = {}
    for prefix, (in_blank, in_symbol, _) in prefixes.items():
        either = in_blank + in_symbol
        last = INDEX[prefix[-1]] if prefix else BLANK
        here = lookahead[min(len(prefix), longest)]
        longer = lookahead[min(len(prefix) + 1, longest)]
        blank = either * frame[BLANK]
        repeated = in_symbol * frame[last]
        weight = blank * here[BLANK] + repeated * here[last]
        if weight >= cutoff:
            state = grown.get(prefix)
            if state is None:
                grown[prefix] = [blank, repeated, weight]
            else:
                state[0] += blank
                state[1] += repeated
                state[2] += weight
        for symbol in symbols:
            # CTC collapses a repeated symbol unless a blank stands between.
            follows = (in_blank if symbol == last else either) * frame[symbol]
            weight = follows * longer[symbol]
            if weight >= cutoff:
                text = prefix + ALPHABET[symbol]
                state = grown.get(text)
                if state is None:
                    grown[text] = [0.0, follows, weight]
                else:
                    state[1] += follows
                    state[2] += weight
    return grown


def _without_quiet(frames: np.ndarray) -> np.ndarray:
    """Merge each run of frames without a symbol into one, whose blank probability is their product."""
    is_quiet = frames[:, :BLANK].max(axis=1, initial=0.0) < QUIET
    after_quiet = np.concatenate([[False], is_quiet[:-1]])
    # Frames that are kept: those with a symbol, and the first one of each run without.
    first = np.flatnonzero(~is_quiet | ~after_quiet)
    if len(first) == len(frames):
        return frames
    kept = frames[first]
    kept[is_quiet[first], :BLANK] = 0
    kept[:, BLANK] = np.multiply.reduceat(frames[:, BLANK], first)
    return kept


def _lookahead(frames: np.ndarray, lengths: LengthRange) -> tuple[np.ndarray, float]:
    """Compute the probability that the remaining frames bring a prefix to an admissible length.

    Args:
        frames: probabilities of the symbols and the blank in each frame, float [T, 12].
        lengths: admissible numbers of characters.

    Returns:
        The lookahead, float [T + 1, longest + 1, 12]: before each frame, for each length of the prefix (the
        last stands for all longer ones) and each last output of its path, scaled so that a frame's largest is
        1; and the logarithm of the first frame's scale.
    """
    longest = 1 + (lengths.most or lengths.least)
    lookahead = np.zeros((len(frames) + 1, longest + 1, BLANK + 1))
    lookahead[-1] = [[length in lengths] for length in range(longest + 1)]
    one_longer = [*range(1, longest + 1), longest]
    other_symbol = 1.0 - np.eye(BLANK)  # a symbol that follows another one makes the prefix longer
    log_scale = 0.0
    for i in range(len(frames) - 1, -1, -1):
        symbols, blank = frames[i, :BLANK], frames[i, BLANK]
        after = lookahead[i + 1]
        longer = after[one_longer, :BLANK] * symbols
        stays = after[:, BLANK] * blank
        before = lookahead[i]
        before[:, BLANK] = stays + longer.sum(axis=1)
        before[:, :BLANK] = stays[:, None] + longer @ other_symbol + after[:, :BLANK] * symbols
        scale = float(before.max())
        if scale == 0:
            return np.zeros_like(lookahead), 0.0
        # Scaled, since products over hundreds of frames would underflow.
        before /= scale
        log_scale += float(np.log(scale))
    return lookahead, log_scale
