"""The machine code of the hot loops: packed instructions, no calls of mathematical functions, no fused operations
where a scheme follows another program to the last bit."""

from __future__ import annotations

import pytest
from assembly import ARM, FUSED, MATHEMATICS, PACKED, count, innermost_loops, lines_of, widest_vectors
from everything import Adapting
from numba import types
from processes import run, write

import izhnumba as iz
from izhnumba._clock.kernels.lanes import build
from izhnumba._model.equations import Variant
from izhnumba._model.state_steps import lane_type
from izhnumba._numba.compile import compiled, target_features

STATES = sum(
    1 << list(lane_type(Adapting)._fields).index(name) for name in Adapting.states
)  # that differ between lanes
# Variant: the least number of multiplications of its inner loop (those of the polynomial, or of the equations).
KERNELS = {
    Variant(iz.Izhikevich, iz.schemes["exp_euler"], "float32", refractory=True, short=True): 7,
    Variant(iz.Izhikevich, iz.schemes["exp_euler"], "float64"): 10,
    Variant(iz.Izhikevich, iz.schemes["euler"], "float64", refractory=True): 5,
    # with two states beside V and u, of which one raises the threshold
    Variant(Adapting, iz.schemes["exp_euler"], "float32", varies=STATES, short=True, capped=True, gains=True): 9,
    Variant(Adapting, iz.schemes["rk4"], "float64", varies=STATES): 20,
}


def named(variant):
    forms = ("refractory" if variant.refractory else "", "short" if variant.short else "")
    return "-".join(filter(None, (variant.model.name, variant.scheme.name, variant.dtype, *forms)))


@pytest.fixture(params=KERNELS, ids=named, scope="module")
def kernel(request, tmp_path_factory):
    """(variant, lines of its machine code), compiled in this process: code from a cache cannot be looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMBA_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        dispatcher = compiled(build(request.param), fastmath=request.param.scheme.fastmath)
    dispatcher.compile((types.int64,) * 3)
    return request.param, lines_of(dispatcher)


def test_lanes_are_packed(kernel):
    variant, lines = kernel
    hot = [loop for loop in innermost_loops(lines) if count(PACKED, loop) >= KERNELS[variant]]
    assert hot
    for loop in hot:
        assert count(r"\b(?:callq?|blr?)\b", loop) == 0
    widest = widest_vectors()
    assert any(count(widest, loop) > KERNELS[variant] for loop in hot)  # the rest of a row may go in shorter vectors


def test_refractory_neurons_go_through_four_vectors_at_a_time(kernel):
    """Left to itself, LLVM takes two, and a twentieth more time."""
    variant, lines = kernel
    if variant.refractory and variant.short:
        short = [loop for loop in innermost_loops(lines) if not count(r"\bv?f?div", loop)]
        assert max(count(PACKED, loop) for loop in short) >= 4 * KERNELS[variant]


def test_no_mathematical_function_is_called(kernel):
    _, lines = kernel
    assert count(MATHEMATICS, lines) == 0


def test_fused_operations_only_where_they_are_wanted(kernel):
    variant, lines = kernel
    fused = count(FUSED, lines)
    if not variant.scheme.fastmath:
        assert fused == 0
    elif ARM or "fma" in target_features():
        assert fused >= KERNELS[variant]


ORDER = """
import dataclasses, json, sys
import numba, numpy as np, izhnumba as iz

@numba.njit
def jitted(V, k2, k1):
    return k2 * V * V + k1 * V

def plain(x, k0):
    return x * x + k0

def dV(V, u, I, p):
    return jitted(V, p.k2, p.k1) + plain(V, p.k0) - u + I

def dV_slope(V, dI, p):
    return 2 * p.k2 * V + p.k1 + 2 * V + dI

model = dataclasses.replace(iz.Izhikevich, dV=dV, dV_slope=dV_slope)
p = (0.02, 0.2, -65.0, 8.0, 30.0, 0.04, 5.0, 140.0)
results = {}
for scheme in sys.argv[1:]:
    V, u, spikes = np.linspace(-70, -50, 64), np.full(64, -13.0), np.zeros(64, bool)
    step = iz.kernel(model, scheme)
    step(V, u, np.full(64, 10.0), p, 0.1, spikes)
    results[scheme] = [V.tolist(), *step.inspect_asm().values()]
print(json.dumps(results))
"""


def test_order_of_compiling_does_not_matter(tmp_path):
    """Helpers of the user's own would otherwise be contracted, or not, for whom they are compiled first."""
    script = write(tmp_path / "script.py", ORDER)
    orders = [("exp_euler", "euler"), ("euler", "exp_euler")]
    one, other = [run(script, *order, cache=tmp_path / "-".join(order)) for order in orders]
    for result in (one, other):
        assert count(FUSED, result["euler"][1].splitlines()) == 0
    assert one["euler"][0] == other["euler"][0]
    assert one["exp_euler"][0] == other["exp_euler"][0]
