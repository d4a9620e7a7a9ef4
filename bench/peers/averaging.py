"""Weighted means of K vectors of N float32, the weights in proportion to sample counts.

A contestant is a function of (arrays, params) that prepares everything and gives (call, result): the call is what is
timed, and `result` makes a few numbers for a check of what the call returned. Parameters: clients, length, and
`updates` (the name of an array [clients, length] that was put) or `seed`. Client k has k + 1 samples.
"""

import copy
from functools import reduce

import numpy as np

# Of 4 Ki to 128 Ki elements the fastest at 1e7; vectors that fit into a last-level cache are faster in one piece.
BLOCK = 131072


def updates(arrays, params):
    """The updates [K, N], shared by all contestants that ask for the same, and the sample counts."""
    shape = (params["clients"], params["length"])
    if "updates" in params:
        stacked = arrays[params["updates"]]
        if stacked.shape != shape:
            raise ValueError(f"expected updates of {shape}, got {stacked.shape}")
    else:
        key = ("updates", *shape, params["seed"])
        if key not in arrays:
            arrays[key] = np.random.default_rng(params["seed"]).standard_normal(shape, dtype=np.float32)
        stacked = arrays[key]
    return stacked, list(range(1, shape[0] + 1))


def shares(counts):
    total = sum(counts)
    return np.array([count / total for count in counts], dtype=np.float32)


def picked(mean):
    """First, middle and last element, and the sum."""
    mean = np.asarray(mean)
    return [mean[0], mean[len(mean) // 2], mean[-1], mean.sum(dtype=np.float64)]


def inplace(arrays, params):
    """No allocation: each client multiplied into a scratch, which is added to the result."""
    return blocks(arrays, params, params["length"])


def blocked(arrays, params):
    """The same, block by block of the result, so that it stays in the cache."""
    return blocks(arrays, params, BLOCK)


def blocks(arrays, params, size):
    stacked, counts = updates(arrays, params)
    weights = shares(counts)
    length = params["length"]
    out = np.empty(length, np.float32)
    scratch = np.empty(size, np.float32)

    def call():
        for start in range(0, length, size):
            part = out[start : start + size]
            block = scratch[: len(part)]
            np.multiply(stacked[0, start : start + size], weights[0], out=part)
            for client in range(1, len(counts)):
                np.multiply(stacked[client, start : start + size], weights[client], out=block)
                np.add(part, block, out=part)
        return out

    return call, picked


def gemv(arrays, params):
    """One BLAS call. It needs all updates stacked in one matrix, which clients that arrive one by one are not."""
    stacked, counts = updates(arrays, params)
    weights = shares(counts)
    out = np.empty(params["length"], np.float32)
    return lambda: np.matmul(weights, stacked, out=out), picked


def expression(arrays, params):
    """What one writes without a thought for memory."""
    stacked, counts = updates(arrays, params)
    total = sum(counts)
    return lambda: sum(client * count for client, count in zip(stacked, counts)) / total, picked


def flower(arrays, params):
    """As Flower's aggregate: all products are made first, then added, then divided."""
    stacked, counts = updates(arrays, params)

    def call():
        products = [client * count for client, count in zip(stacked, counts)]
        return reduce(np.add, products) / sum(counts)

    return call, picked


def sedna_rows(clients, counts):
    total = sum(counts)
    mean = np.zeros(len(clients[0]))
    for client, count in zip(clients, counts):
        mean += np.array(client) * count / total
    return mean


def sedna(arrays, params):
    """Sedna's formula on arrays: float64 sums, a copy of each client, multiplied, then divided."""
    stacked, counts = updates(arrays, params)
    return lambda: sedna_rows(stacked, counts), picked


def sedna_lists(arrays, params):
    """Sedna as it ships: weights come as lists, leave as lists, and the answer is copied once more."""
    stacked, counts = updates(arrays, params)
    clients = [client.tolist() for client in stacked]
    return lambda: copy.deepcopy(sedna_rows(clients, counts).tolist()), picked


CONTESTANTS = {
    "fedavg/inplace": inplace,
    "fedavg/blocked": blocked,
    "fedavg/gemv": gemv,
    "fedavg/expression": expression,
    "fedavg/flower": flower,
    "fedavg/sedna": sedna,
    "fedavg/sedna-lists": sedna_lists,
}
