"""Populations against the recorded runs of brainpy.state, step for step and raster for raster."""

from __future__ import annotations

import numpy as np
import pytest
from recorded import CALM_NEURONS, CALM_STEPS, EXTRA_HELD, RUNS, parameters, trajectory

import izhnumba as iz


def population(run):
    model = {"Izhikevich": iz.Izhikevich, "IzhikevichRef": iz.IzhikevichRef}[run["model"]]
    return iz.Population(
        run["param_a"].shape, model=model, dt=run["dt"], dtype=run["V"].dtype, V=run["param_V0"], u=run["param_u0"],
        batch=None if run["batch"] < 0 else int(run["batch"]), tau_ref=run["param_tau_ref"], **parameters(run),
    )  # fmt: skip


def relative_error(value, expected):
    """Relative to the recorded value, or to 1 mV where V crosses 0."""
    return np.max(np.abs(value - expected) / np.maximum(np.abs(expected), 1.0))


# Kernels of plain and of refractory cells.
IN_FLOAT32 = ("default_constant", "batch_2d", "cell_types", "ref_tau0", "ref_tau2", "ref_tau5")


@pytest.mark.parametrize("name", [*(f"{run}_f64" for run in RUNS), *(f"{run}_f32" for run in IN_FLOAT32)])
def test_every_step_from_the_recorded_state(name):
    run = trajectory(name)
    pop = population(run)
    tolerance = 1e-12 if name.endswith("f64") else 3e-5
    for k in range(len(run["V"])):
        conductance = {"g": run["g"][k], "E": run["E"]} if "g" in run else {}
        spikes = pop.step(run["I"][k], delta=run["delta"][k] if "delta" in run else None, **conductance)
        assert np.array_equal(spikes, run["spikes"][k]), k
        if k not in EXTRA_HELD.get(name, ()):
            assert relative_error(pop.V, run["V"][k]) < tolerance, k
            assert relative_error(pop.u, run["u"][k]) < tolerance, k
        pop.V[...] = run["V"][k]
        pop.u[...] = run["u"][k]


@pytest.mark.parametrize("name", RUNS)
def test_free_running_rasters(name):
    run = trajectory(f"{name}_f64")
    n_steps, *shape = run["V"].shape
    res = population(run).run(n_steps * run["dt"], run["I"], delta=run.get("delta"), g=run.get("g"), E=run.get("E"))
    raster = np.zeros((n_steps, np.prod(shape)), dtype=bool)
    raster[res.spikes.step, res.spikes.batch * run["param_a"].size + res.spikes.i] = True
    recorded = run["spikes"].reshape(n_steps, -1)
    calm = CALM_STEPS.get(name, n_steps)
    assert recorded[:calm].any()
    assert np.array_equal(raster[:calm], recorded[:calm])
    neurons = CALM_NEURONS.get(name, slice(None))
    assert np.array_equal(raster[:, neurons], recorded[:, neurons])
