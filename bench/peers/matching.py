"""Inner products of M queries with N rows of a gallery, and the best rows.

Contestants as in averaging.py. Parameters: queries, rows, dimensions, top, and either `gallery` and `query` (names of
arrays that were put) or `seed`. All rows have unit length.
"""

import numpy as np


def unit_rows(random, shape):
    rows = random.standard_normal(shape, dtype=np.float32)
    return np.divide(rows, np.linalg.norm(rows, axis=1, keepdims=True), out=rows)


def inputs(arrays, params):
    """The gallery [N, D] and the queries [M, D]."""
    if "gallery" in params:
        return arrays[params["gallery"]], arrays[params["query"]]
    key = ("gallery", params["rows"], params["dimensions"], params["seed"])
    if key not in arrays:
        arrays[key] = unit_rows(np.random.default_rng(params["seed"]), (params["rows"], params["dimensions"]))
    return arrays[key], unit_rows(np.random.default_rng(params["seed"] + 1), (params["queries"], params["dimensions"]))


def transposed(arrays, params):
    """The gallery as columns [D, N], shared too."""
    gallery, _ = inputs(arrays, params)
    key = ("transposed", id(gallery))
    if key not in arrays:
        # The gallery is kept beside it, or its id could come again.
        arrays[key] = (gallery, np.ascontiguousarray(gallery.T))
    return arrays[key][1]


def best(scores, top):
    """Rows of the highest scores of each query, best first."""
    last = scores.shape[1] - top
    found = np.argpartition(scores, last, axis=1)[:, last:]
    order = np.argsort(np.take_along_axis(scores, found, axis=1), axis=1)[:, ::-1]
    return np.take_along_axis(found, order, axis=1)


def first_query(found):
    return found[0]


def rows(arrays, params):
    """BLAS on the gallery as it comes."""
    gallery, queries = inputs(arrays, params)
    top = min(params["top"], len(gallery))
    scores = np.empty((len(queries), len(gallery)), np.float32)
    return lambda: best(np.matmul(queries, gallery.T, out=scores), top), first_query


def columns(arrays, params):
    """BLAS on the gallery transposed beforehand."""
    gallery, queries = inputs(arrays, params)
    flipped = transposed(arrays, params)
    top = min(params["top"], len(gallery))
    scores = np.empty((len(queries), len(gallery)), np.float32)
    return lambda: best(np.matmul(queries, flipped, out=scores), top), first_query


def sedna(arrays, params):
    """Sedna's match: all products, the highest of them, and the first place that has it. It finds one row."""
    gallery, queries = inputs(arrays, params)

    def call():
        scores = np.matmul(queries, gallery.T)
        places = np.argwhere(scores == np.max(scores))
        return places[0][1]

    return call, lambda row: [row]


CONTESTANTS = {"cosine/rows": rows, "cosine/columns": columns, "cosine/sedna": sedna}
