"""One matrix: every model, scheme, reset, kind of input, refractoriness, floor and dtype against the oracle.

The combinations cover every pair of choices of two columns. Their step is compiled by itself, in a tenth of
the time of a whole kernel; populations run each model once, with everything at the same time.
In each step the oracle starts from the population's state: the errors of single steps are seen, and nothing can grow.
"""

from __future__ import annotations

import dataclasses
from itertools import combinations, product

import numpy as np
import pytest
from oracle import RESETS, SCHEMES, Accommodation, Book, Oracle, Quadratic
from recorded import judge
from step_alone import StepAlone

import izhnumba as iz

MODELS = ("Izhikevich", "IzhikevichRef", "IzhikevichAccommodation", "Izhikevich2007")
INPUTS = ("plain", "delta", "conductance", "all")
CELLS = ("RS", "IB", "CH", "LTS", "FS", "TC", "RTN")

N, STEPS, DT = 8, 150, 0.1
HELD = np.array([0.0, 0.05, 0.1, 0.25, 0.5, 1.1, 2.0, 3.03])  # tau_ref in ms; 1.1 / 0.1 is above 11


def combination(s, m):
    """Scheme s with model m; the other columns are chosen so that every pair of choices occurs."""
    return (
        SCHEMES[s], MODELS[m], RESETS[(s + m) % 3], INPUTS[(m + 3 * s + s // 3) % 4],
        bool((s + m // 2) % 2), bool((s // 2 + m) % 2), ("float64", "float32")[(s // 3 + m) % 2],
    )  # fmt: skip


MATRIX = [combination(s, m) for s, m in product(range(len(SCHEMES)), range(len(MODELS)))]
TOGETHER = [  # those that reset first, take a jump as a current, and spike above the threshold only
    ("exp_euler", "Izhikevich2007", "hard", "all", True, True, "float64"),
    ("izhikevich2003", "IzhikevichRef", "soft", "all", True, True, "float32"),
    ("nest_published", "IzhikevichAccommodation", "overshoot", "all", True, True, "float64"),
    ("izhikevich2004", "Izhikevich", "hard", "all", True, True, "float32"),
]


def test_matrix_covers_all_schemes_with_steps():
    assert {*SCHEMES, "exact"} == set(iz.schemes)


def test_matrix_covers_all_pairs():
    columns = [set(column) for column in zip(*MATRIX, strict=True)]
    for i, j in combinations(range(len(columns)), 2):
        assert {(row[i], row[j]) for row in MATRIX} == set(product(columns[i], columns[j]))


def exact_in_float32(x):
    return np.asarray(x, dtype=np.float32).astype(np.float64)


def twins(name, rng):
    """Pairs (parameters of the population, model of the oracle, scale of the currents, range of V, range of u)."""
    if name == "Izhikevich2007":
        for cell in CELLS:
            parameters = judge("izhikevich2007_book_cells")["params"][cell]
            preset = {key: value for key, value in iz.presets[f"2007/{cell}"].items() if key not in ("model", "V", "u")}
            u_range = (-100.0, 690.0 if cell == "LTS" else 200.0)  # above and below the cap of LTS cells
            yield preset, Book(**parameters, cell=cell), 20.0, (-85.0, parameters["vpeak"] + 15.0), u_range
        return
    parameters = {
        "a": rng.uniform(0.02, 0.1, N), "b": rng.uniform(0.15, 0.3, N), "c": rng.uniform(-65, -45, N),
        "d": rng.uniform(0, 8, N), "V_th": rng.uniform(20, 35, N), "k2": 0.04, "k1": 5.0,
        "k0": rng.uniform(130, 140, N),
    }  # fmt: skip
    model = Quadratic
    if name == "IzhikevichAccommodation":
        parameters["V_b"], model = rng.uniform(-70, -60, N), Accommodation
    parameters = {key: exact_in_float32(value) for key, value in parameters.items()}
    yield parameters, model(**parameters), 1.0, (-85.0, 45.0), (-16.0, 6.0)


COLUMNS = ("scheme", "name", "reset", "inputs", "refractory", "floor", "dtype")


@pytest.mark.filterwarnings("ignore:Population. a spike leaves neuron")  # thresholds are drawn far and wide
@pytest.mark.parametrize(COLUMNS, MATRIX, ids=str)
def test_step_alone(scheme, name, reset, inputs, refractory, floor, dtype):
    check(scheme, name, reset, inputs, refractory, floor, dtype, alone=True)


@pytest.mark.filterwarnings("ignore:Population.V fell below")  # states, too
@pytest.mark.filterwarnings("ignore:Population. a spike leaves neuron")
@pytest.mark.parametrize(COLUMNS, TOGETHER, ids=str)
def test_population(scheme, name, reset, inputs, refractory, floor, dtype):
    check(scheme, name, reset, inputs, refractory, floor, dtype, alone=False)


def check(scheme, name, reset, inputs, refractory, floor, dtype, alone):
    rng = np.random.default_rng(2003)
    tau_ref, V_min = HELD if refractory else 0.0, exact_in_float32(rng.uniform(-80, -60, N)) if floor else -np.inf
    tolerance = 1e-12 if dtype == "float64" else 2e-5
    for parameters, model, scale, V_range, u_range in twins(name, rng):

        def start(range_):
            return exact_in_float32(rng.uniform(*range_, N))

        V, u = start(V_range), start(u_range)
        pop = iz.Population(
            N, model=getattr(iz, name), scheme=scheme, dt=DT, dtype=dtype, reset=reset, V=V, u=u, V_min=V_min,
            tau_ref=tau_ref, **parameters,
        )  # fmt: skip
        one_by_one = StepAlone(pop, reset, inputs, refractory, floor) if alone else None
        oracle = Oracle(N, model, scheme, DT, V, u, reset=reset, V_min=V_min, tau_ref=tau_ref)
        n_spikes = 0
        for k in range(STEPS):
            I = exact_in_float32(scale * rng.normal(8, 8, N))
            delta = exact_in_float32(rng.normal(0, 3, N)) if inputs in ("delta", "all") else None
            g, E = [], []
            if inputs in ("conductance", "all"):
                g = [exact_in_float32(scale * rng.uniform(0, 0.3, N)) for _ in range(2)]
                E = [exact_in_float32(0.0), exact_in_float32(rng.uniform(-90, -70, N))]
            if one_by_one:
                spikes = one_by_one.step(oracle.left > 0, I, delta, g, E)
            else:
                spikes = pop.step(I, delta=delta, g=g or None, E=E or None)
            expected = oracle.step(I, 0.0 if delta is None else delta, g, E)
            assert np.array_equal(spikes, expected), k
            assert pop.V == pytest.approx(oracle.V, rel=tolerance, abs=tolerance), k
            assert pop.u == pytest.approx(oracle.u, rel=tolerance, abs=tolerance), k
            if not alone:
                assert np.array_equal(pop.refractory, oracle.refractory), k
                assert np.array_equal(pop.last_spike_time, oracle.last_spike_time), k
            n_spikes += np.count_nonzero(spikes)
            # A soft reset may run away, and a quiet neuron never spikes: both are brought back, alike in both twins.
            lost = (np.abs(pop.V) > 90) | ~((pop.u > u_range[0]) & (pop.u < u_range[1]))
            lost |= rng.random(N) < 0.05
            pop.V[lost], pop.u[lost] = start(V_range)[lost], start(u_range)[lost]
            oracle.V, oracle.u = pop.V.astype(np.float64), pop.u.astype(np.float64)
        assert n_spikes > 4


def powers(V, u, I):  # net.m, figure1.m, NEST
    return 0.04 * V * V + 5.0 * V + 140.0 - u + I


def horner(V, u, I):  # spnet
    return (0.04 * V + 5.0) * V + 140.0 - u + I


def two_halves(f, V, u, I):
    for _ in range(2):
        V = V + 0.5 * DT * f(V, u, I)
    return V


# New V from the old one, the current and a jump, as the programs that the schemes follow write it.
WRITTEN = {
    "euler": lambda V, u, I, J: V + (DT * powers(V, u, I) + J),
    "nest": lambda V, u, I, J: V + (DT * powers(V, u, I) + J),
    "izhikevich2004": lambda V, u, I, J: (V + DT * powers(V, u, I)) + J,
    "izhikevich2003": lambda V, u, I, J: two_halves(horner, V, u, I) + J,
    "nest_published": lambda V, u, I, J: two_halves(lambda *state: powers(*state) + J, V, u, I),
}


@pytest.mark.parametrize("scheme", WRITTEN)
def test_operations_are_grouped_as_in_the_program_followed(scheme):
    rng, n = np.random.default_rng(2006), 1000
    V, u, I, J = (rng.uniform(*range_, n) for range_ in ((-80, 20), (-15, 5), (0, 20), (-2, 2)))
    pop = iz.Population(n, scheme=scheme, dt=DT, V=V, u=u, c=-65.5)
    spikes = StepAlone(pop, "hard", "delta").step(np.zeros(n, bool), I, J)
    expected = WRITTEN[scheme](V, u, I, J)
    rate = DT * 0.02
    expected_u = u + rate * (0.2 * (V if scheme in ("euler", "nest") else expected) - u)
    silent = ~spikes
    assert np.count_nonzero(silent) > 500
    assert pop.V[silent].tobytes() == expected[silent].tobytes()
    assert pop.u[silent].tobytes() == expected_u[silent].tobytes()


def linear(V, u, I, p):
    return p.k1 * V - u + I


def linear_slope(V, dI, p):
    return p.k1 + dI


@pytest.mark.parametrize("scheme", SCHEMES)
def test_another_dV_is_used_in_every_scheme(scheme):
    """A model made from one that has a Horner form does not keep that form."""
    model = dataclasses.replace(iz.Izhikevich, dV=linear, dV_slope=linear_slope)
    pop, twin = (iz.Population(1, m, scheme=scheme, dt=DT, **p) for m, p in ((model, {}), (iz.Izhikevich, {"k0": 0.0})))
    for p in (pop, twin):
        StepAlone(p, "hard", "plain").step(np.zeros(1, bool), [400.0])
    assert abs(pop.V[0] - twin.V[0]) > 1
