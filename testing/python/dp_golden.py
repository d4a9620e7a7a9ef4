"""Writes packages/core/src/privacy/golden-*.json with PyPI dp-accounting 0.6.0, the oracle of our accountant.

    pip install dp-accounting==0.6.0 mpmath && python testing/python/dp_golden.py
"""
import itertools
import json
import pathlib

import dp_accounting
import mpmath
from dp_accounting import dp_event, gaussian_mechanism
from dp_accounting.rdp import rdp_privacy_accountant as rdp

FOLDER = pathlib.Path(__file__).parents[2] / "packages/core/src/privacy"
SIGMAS = [0.5, 0.7, 1.0, 1.3, 2.0, 4.0, 10.0]
RATES = [1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5, 0.9, 1.0]
STEPS = [1, 10, 1000, 100_000]
DELTAS = [1e-3, 1e-5, 1e-8]


def epsilon_of(releases, delta):
    accountant = rdp.RdpAccountant()
    for sigma, rate, steps in releases:
        accountant.compose(dp_event.PoissonSampledDpEvent(rate, dp_event.GaussianDpEvent(sigma)), steps)
    return accountant.get_epsilon(delta)


def number(value):
    return "Infinity" if value == float("inf") else float(value)


def accountant_cases():
    for sigma, rate, steps in itertools.product(SIGMAS, RATES, STEPS):
        for delta in DELTAS:
            yield {"releases": [[sigma, rate, steps]], "delta": delta, "epsilon": number(epsilon_of([(sigma, rate, steps)], delta))}
    mixed = [(1.0, 0.01, 500), (2.0, 1.0, 3), (0.8, 0.1, 20)]
    yield {"releases": mixed, "delta": 1e-6, "epsilon": number(epsilon_of(mixed, 1e-6))}


def divergence_cases():
    orders = rdp.DEFAULT_RDP_ORDERS
    for sigma, rate in itertools.product([0.5, 1.0, 4.0], [1e-3, 0.2, 0.9]):
        values = rdp._compute_rdp_poisson_subsampled_gaussian(rate, sigma, orders)
        yield {"sigma": sigma, "rate": rate, "divergences": [number(value) for value in values]}


def gaussian_cases():
    for epsilon, delta in itertools.product([1e-3, 0.1, 0.5, 1, 3, 10, 100], [1e-3, 1e-5, 1e-10]):
        yield {"epsilon": epsilon, "delta": delta, "sigma": gaussian_mechanism.get_sigma_gaussian(epsilon, delta)}


def calibration_cases():
    for epsilon, rate, steps in [(1.0, 0.01, 1000), (8.0, 1.0, 100), (0.5, 0.1, 10), (3.0, 0.2, 200)]:
        def make(sigma, rate=rate, steps=steps):
            return dp_event.SelfComposedDpEvent(dp_event.PoissonSampledDpEvent(rate, dp_event.GaussianDpEvent(sigma)), steps)
        sigma = dp_accounting.calibrate_dp_mechanism(rdp.RdpAccountant, make, epsilon, 1e-5, tol=1e-9)
        yield {"epsilon": epsilon, "delta": 1e-5, "rate": rate, "steps": steps, "sigma": sigma}


def tail_cases():
    mpmath.mp.dps = 50
    for x in [-30, -7, -1, -1e-9, 0, 1e-9, 0.5, 1, 1.5, 1.999, 2, 2.001, 2.5, 4, 7, 30, 300]:
        value = mpmath.log(mpmath.erfc(mpmath.mpf(x)))
        yield {"x": x, "logErfc": float(value)}


def write(name, cases):
    lines = ",\n".join("  " + json.dumps(case) for case in cases)
    (FOLDER / f"golden-{name}.json").write_text("[\n" + lines + "\n]\n")


write("accountant", accountant_cases())
write("divergence", divergence_cases())
write("gaussian", gaussian_cases())
write("calibration", calibration_cases())
write("tail", tail_cases())
