"""Hard-example mining of a batch: which of S samples are hard.

Contestants as in averaging.py. Parameters: samples, width (boxes or classes), and `scores` (the name of an array
[samples, width] that was put) or `seed`. Thresholds are 0.5. The check's numbers are the number of hard samples and
the sum of their places.
"""

from math import log

import numpy as np

THRESHOLD = 0.5
# Rows a block, so that a block and its scratch stay in a second-level cache.
BOX_BLOCK = 16384
CLASS_BLOCK = 2048
# A float in 0..1 has bits from 0 to these; anything negative, above 1 or not a number has more. (-0.0 counts as out
# of range here and is then looked at again, exactly.)
ONE_BITS = np.uint32(0x3F800000)
SMALLEST = np.float32(1e-38)


def scores_of(arrays, params):
    shape = (params["samples"], params["width"])
    if "scores" in params:
        scores = arrays[params["scores"]]
        if scores.shape != shape:
            raise ValueError(f"expected scores of {shape}, got {scores.shape}")
        return scores
    key = ("scores", *shape, params["seed"])
    if key not in arrays:
        arrays[key] = np.random.default_rng(params["seed"]).random(shape, dtype=np.float32)
    return arrays[key]


def probabilities_of(arrays, params):
    """As scores; those from a seed are scaled to sum to about 1."""
    if "scores" in params:
        return scores_of(arrays, params)
    key = ("probabilities", params["samples"], params["width"], params["seed"])
    if key not in arrays:
        arrays[key] = scores_of(arrays, params) * np.float32(2 / params["width"])
    return arrays[key]


def counted(hard):
    places = np.flatnonzero(hard)
    return [len(places), places.sum()]


def outside(block):
    """Rows with a value out of 0..1, or None where there is none."""
    if block.view(np.uint32).max() <= ONE_BITS:
        return None
    return ~((block >= 0) & (block <= 1)).all(axis=1)


def ibt_numpy(arrays, params):
    """What one writes at once."""
    scores = scores_of(arrays, params)

    def call():
        valid = ((scores >= 0) & (scores <= 1)).all(axis=1)
        return valid & (np.count_nonzero(scores <= THRESHOLD, axis=1) / scores.shape[1] >= 1 - THRESHOLD)

    return call, counted


def ibt_tuned(arrays, params):
    """In blocks; the range looked at once a block on the bits; the low boxes counted by BLAS."""
    scores = scores_of(arrays, params)
    samples, width = scores.shape
    ones = np.ones(width, np.float32)
    hard = np.empty(samples, bool)
    least = (1 - THRESHOLD) * width

    def call():
        for start in range(0, samples, BOX_BLOCK):
            block, part = scores[start : start + BOX_BLOCK], hard[start : start + BOX_BLOCK]
            low = (block <= np.float32(THRESHOLD)).astype(np.float32)
            np.greater_equal(low @ ones, least, out=part)
            wrong = outside(block)
            if wrong is not None:
                part[wrong] = False
        return hard

    return call, counted


def ibt_sedna(arrays, params):
    """Sedna's filter, an image a call, on rows of [x0, y0, x1, y1, score, label] as a detector gives them."""
    images = [[[0, 0, 1, 1, score, 0] for score in row] for row in scores_of(arrays, params).tolist()]

    def is_hard(boxes):
        if not boxes or not all(len(box) > 4 for box in boxes):
            return False
        scores = [box[4] for box in boxes]
        if not all(0 <= float(score) <= 1 for score in scores):
            return False
        low = [float(score) for score in scores if float(score) <= THRESHOLD]
        return len(low) / len(boxes) >= 1 - THRESHOLD

    return lambda: [is_hard(image) for image in images], counted


def ce_numpy(arrays, params):
    """What one writes at once; p ln p of 0 is 0."""
    p = probabilities_of(arrays, params)
    scale = 1 / log(p.shape[1])

    def call():
        valid = ((p >= 0) & (p <= 1)).all(axis=1)
        logs = np.log(p, out=np.zeros_like(p), where=p > 0)
        return valid & (1 + (p * logs).sum(axis=1) * scale < THRESHOLD)

    return call, counted


def ce_tuned(arrays, params):
    """In blocks without allocation; the range looked at once a block on the bits; sums by BLAS."""
    p = probabilities_of(arrays, params)
    samples, classes = p.shape
    scratch = np.empty((CLASS_BLOCK, classes), np.float32)
    ones = np.ones(classes, np.float32)
    hard = np.empty(samples, bool)
    most = (THRESHOLD - 1) * log(classes)

    def call():
        with np.errstate(invalid="ignore"):
            for start in range(0, samples, CLASS_BLOCK):
                block, part = p[start : start + CLASS_BLOCK], hard[start : start + CLASS_BLOCK]
                terms = scratch[: len(block)]
                # Adding keeps ln from 0, is lost in anything larger, and is half as slow as a maximum.
                np.add(block, SMALLEST, out=terms)
                np.log(terms, out=terms)
                np.multiply(terms, block, out=terms)
                np.less(terms @ ones, most, out=part)
                wrong = outside(block)
                if wrong is not None:
                    part[wrong] = False
        return hard

    return call, counted


def ce_sedna(arrays, params):
    """Sedna's filter, a sample a call."""
    rows = probabilities_of(arrays, params).tolist()

    def is_hard(scores):
        if not scores:
            return False
        if not all(0 <= float(score) <= 1 for score in scores):
            return False
        total = 0.0
        for score in scores:
            total += score * log(score)
        return 1 + total / log(len(scores)) < THRESHOLD

    return lambda: [is_hard(row) for row in rows], counted


CONTESTANTS = {
    "ibt/numpy": ibt_numpy,
    "ibt/tuned": ibt_tuned,
    "ibt/sedna": ibt_sedna,
    "ce/numpy": ce_numpy,
    "ce/tuned": ce_tuned,
    "ce/sedna": ce_sedna,
}
