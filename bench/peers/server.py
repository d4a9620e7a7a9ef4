"""Runs numpy's contestants for bench/peers/python.ts: one request a line of JSON on stdin, one answer a line on stdout.

An answer carries the request's id, and `error` where it failed. Times are taken here, around the call alone.

    {"id": 1, "do": "hello"}                                     -> version, numpy, blas, simd, contestants
    {"id": 2, "do": "put", "name": "x", "shape": [2, 3]}         -> ok; float32 bytes of the array follow the line
    {"id": 3, "do": "run", "name": "fedavg/gemv", "params": {}}  -> ms
    {"id": 4, "do": "check", "name": ..., "params": ...}         -> result: a few numbers that show what it computed
    {"id": 5, "do": "forget"}                                    -> ok; lets go of all arrays
"""

import json
import math
import os
import platform
import sys
import time

# Before numpy is imported: its BLAS reads them once.
for name in ("OPENBLAS", "OMP", "MKL", "BLIS", "VECLIB_MAXIMUM", "NUMEXPR"):
    os.environ[f"{name}_NUM_THREADS"] = "1"

import numpy as np

import averaging
import matching
import mining

CONTESTANTS = {**averaging.CONTESTANTS, **matching.CONTESTANTS, **mining.CONTESTANTS}


class Server:
    """Keeps the arrays and the prepared contestants between requests."""

    def __init__(self):
        self.arrays = {}
        self.prepared = {}

    def hello(self, _):
        config = np.show_config("dicts")
        blas = config["Build Dependencies"]["blas"]
        return {
            "version": platform.python_version(),
            "numpy": np.__version__,
            "blas": f'{blas.get("name", "unknown")} {blas.get("version", "")}'.strip(),
            "simd": config.get("SIMD Extensions", {}).get("found", []),
            "contestants": sorted(CONTESTANTS),
        }

    def put(self, request):
        shape = request["shape"]
        size = 4 * math.prod(shape)
        data = bytearray(size)
        view, at = memoryview(data), 0
        while at < size:
            count = sys.stdin.buffer.readinto(view[at:])
            if not count:
                raise EOFError("the array ended early")
            at += count
        self.arrays[request["name"]] = np.frombuffer(data, dtype=np.float32).reshape(shape)
        self.prepared = {key: made for key, made in self.prepared.items() if request["name"] not in key[2]}
        return {}

    def contestant(self, request):
        name, params = request["name"], request.get("params", {})
        names = tuple(sorted(value for value in params.values() if isinstance(value, str)))
        key = (name, json.dumps(params, sort_keys=True), names)
        if key not in self.prepared:
            if name not in CONTESTANTS:
                raise KeyError(f"unknown contestant {name}")
            self.prepared[key] = CONTESTANTS[name](self.arrays, params)
        return self.prepared[key]

    def run(self, request):
        call, _ = self.contestant(request)
        started = time.perf_counter()
        call()
        return {"ms": (time.perf_counter() - started) * 1e3}

    def check(self, request):
        call, result = self.contestant(request)
        return {"result": [float(value) for value in result(call())]}

    def forget(self, _):
        self.arrays.clear()
        self.prepared.clear()
        return {}


def main():
    server = Server()
    actions = {"hello": server.hello, "put": server.put, "run": server.run, "check": server.check, "forget": server.forget}
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        try:
            answer = actions[request["do"]](request)
        except Exception as error:  # the benchmark shall hear of it, whatever it is
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps({"id": request["id"], **answer}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
