"""How far surrogate gradients reach: the tables of docs/concepts/gradients_reach.md, as Markdown.

The derivative of the number of spikes by a constant current, beside the finite difference of the same number smoothed
by a normal distribution of the current, whose standard deviation is 1 mV/ms. float64, steps of 0.1 ms.

Run it with: python asv_benchmarks/surrogates.py
"""

from __future__ import annotations

import jax
import numpy as np

import izhnumba as iz
import izhnumba.jax as izj

DT, I = 0.1, 10.0  # ms, mV/ms
DURATIONS = 0.02, 0.1, 0.3, 1.0  # s; 1, 3, 8 and 23 spikes
CELLS = "RS", "IB", "CH", "FS", "LTS"
SURROGATES = [cls() for cls in izj.Surrogate.__subclasses__() if cls.__name__ in izj.__all__]


def smoothed(cell, seconds):
    """The derivative of the mean number of spikes, where the current is normal around I."""
    z = np.linspace(-4.0, 4.0, 4001)
    spikes = iz.Population(len(z), **iz.presets[cell], dt=DT).run(1000.0 * seconds, I=I + z).spikes
    weights = np.exp(-z * z / 2)
    return float(np.sum(weights * z * np.bincount(spikes.i, minlength=len(z))) / weights.sum())


def surrogate_gradient(cell, seconds, surrogate, window=None, **options):
    """The derivative of the number of spikes; window: of steps, at whose start V is taken for a constant."""
    params, state = izj.init(1, **iz.presets[cell])
    n_steps = round(1000.0 * seconds / DT)

    def count(current):
        def advance(state, _):
            start = state if window is None else state._replace(V=jax.lax.stop_gradient(state.V))
            given = {"n_steps": window or n_steps, "record": "spikes", "surrogate": surrogate, **options}
            return izj.run(params, start, current, DT, **given)

        return jax.lax.scan(advance, state, length=n_steps // (window or n_steps))[1].spikes.sum()

    return float(jax.jit(jax.grad(count))(I))


def rows_of_surrogates():
    """Names, and a number for each duration: the truth, all surrogates as they are, and settings."""
    yield "finite difference", [smoothed("RS", seconds) for seconds in DURATIONS]
    default, low = izj.ReluGrad(), izj.ReluGrad(0.003, 3.5)
    settings = {f"`{type(one).__name__}()`": (one, {}) for one in SURROGATES}
    settings["`ReluGrad(0.003, 3.5)`"] = low, {}
    settings["`ReluGrad()`, `detach_reset=True`"] = default, {"detach_reset": True}
    settings["`ReluGrad(0.003, 3.5)`, `detach_reset=True`"] = low, {"detach_reset": True}
    settings["`ReluGrad()`, V constant every 2 ms"] = default, {"window": 20}
    for name, (surrogate, options) in settings.items():
        yield name, [surrogate_gradient("RS", seconds, surrogate, **options) for seconds in DURATIONS]


def rows_of_cells():
    """The same over the longest duration, with V constant every 2 ms."""
    yield "finite difference", [smoothed(cell, DURATIONS[-1]) for cell in CELLS]
    for surrogate in (izj.ReluGrad(), izj.ReluGrad(0.003, 3.5)):
        name = f"`ReluGrad({surrogate.alpha}, {surrogate.width})`, V constant every 2 ms"
        yield name, [surrogate_gradient(cell, DURATIONS[-1], surrogate, window=20) for cell in CELLS]


def print_table(head, rows):
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for name, numbers in rows:
        print(f"| {name} | {' | '.join(f'{x:.2g}' for x in numbers)} |", flush=True)


def main():
    jax.config.update("jax_enable_x64", True)
    print_table(["RS", *(f"{seconds:g} s" for seconds in DURATIONS)], rows_of_surrogates())
    print()
    print_table([f"{DURATIONS[-1]:g} s", *CELLS], rows_of_cells())


if __name__ == "__main__":
    main()
