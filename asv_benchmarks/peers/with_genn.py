"""GeNN 5 on its CPU backend: scalar C++ that it generates and compiles for the network, optimised.

Its time is that of the loop over steps, spikes recorded.
"""

from __future__ import annotations

import os
import tempfile
import time
from importlib.metadata import version

import numpy as np
import pygenn as g
import worker

EULER = """
const scalar dv = (0.04*v + 5)*v + 140 - u + current;
const scalar du = a*(b*v - u);
v += dt*dv + Isyn;
u += dt*du;
"""
HALF_STEPS = """
const scalar x = current + Isyn;
v += 0.5*((0.04*v + 5)*v + 140 - u + x);
v += 0.5*((0.04*v + 5)*v + 140 - u + x);
u += a*(b*v - u);
"""
NEAREST = {  # the pairs of 2006
    "pre_spike_syn_code": "addToPostDelay(w, delay); w = fmax(0.0, w - 0.12*exp((st_post - t)/20.0));",
    "post_spike_syn_code": "w = fmin(10.0, w + 0.1*exp((st_pre - t)/20.0));",
}
FOLDER = tempfile.TemporaryDirectory()


def prepare(network, seconds, dtype):
    if network.scheme == "exp_euler":
        raise worker.CannotSimulate("its models are written step by step, not as equations")
    if network.plastic:
        network.note = "changes weights at once, and when a spike is sent, not when it arrives"
    os.chdir(FOLDER.name)
    precision = "float" if dtype == "float32" else "double"
    model = g.GeNNModel(precision, "network", backend="single_threaded_cpu", optimize_code=True)
    model.seed, model.dt, n_steps = 1, network.dt, round(1000.0 * seconds / network.dt)
    cells = neurons(model, network)
    if network.post is not None:
        connect(model, network, cells)
    model.build()
    model.load(num_recording_timesteps=n_steps)

    def simulate():
        model.unload()
        model.load(num_recording_timesteps=n_steps)  # from the start
        started = time.perf_counter()
        for _ in range(n_steps):
            model.step_time()
        model.pull_recording_buffers_from_device()
        elapsed = time.perf_counter() - started
        ((times, _),) = cells.spike_recording_data
        return elapsed, len(times)

    return simulate


def neurons(model, network):
    values = {name: getattr(network, name) for name in "abcd"}
    equations, arrays = EULER if network.scheme == "euler" else HALF_STEPS, []
    drive = "0"
    if network.current is not None:
        values["I"], drive = network.current, "I"
    if network.std is not None:
        values["std"], drive = network.std, "std*gennrand_normal()"
    if network.kicked is not None:
        arrays, drive = [("kicked", "int*")], f"(kicked[(int)(t/dt + 0.5)] == id) ? {network.kick} : 0"
    numbers = {name: float(value) for name, value in values.items() if np.ndim(value) == 0}
    own = {name: value for name, value in values.items() if name not in numbers}
    izhikevich = g.create_neuron_model(
        "izhikevich",
        params=list(numbers),
        vars=[("v", "scalar"), ("u", "scalar"), *((name, "scalar", g.VarAccess.READ_ONLY) for name in own)],
        sim_code=f"const scalar current = {drive};" + equations,
        threshold_condition_code="v >= 30",
        reset_code="v = c; u += d;",
        extra_global_params=arrays,
    )
    cells = model.add_neuron_population("cells", network.n, izhikevich, numbers, {"v": network.V, "u": network.u} | own)
    if arrays:
        cells.extra_global_params["kicked"].set_init_values(network.kicked.astype(np.int32))
    cells.spike_recording_enabled = True
    return cells


def connect(model, network, cells):
    pre, post = worker.pairs(network)
    weight, delay = network.weight.ravel(), network.delay.ravel() - 1  # its spikes arrive in the next step at once
    fixed = weight < 0 if network.plastic else np.full(pre.size, True)
    for name, chosen in (("fixed", fixed), ("plastic", ~fixed)):
        if not chosen.any():
            continue
        code = NEAREST if name == "plastic" else {"pre_spike_syn_code": "addToPostDelay(w, delay);"}
        access = g.VarAccess.READ_WRITE if name == "plastic" else g.VarAccess.READ_ONLY
        of_synapse = [("w", "scalar", access), ("delay", "uint8_t", g.VarAccess.READ_ONLY)]
        synapse = g.create_weight_update_model(name, vars=of_synapse, **code)
        values = {"w": weight[chosen], "delay": delay[chosen].astype(np.uint8)}
        group = model.add_synapse_population(
            name, "SPARSE", cells, cells, g.init_weight_update(synapse, {}, values), g.init_postsynaptic("DeltaCurr")
        )
        group.set_sparse_connections(pre[chosen], post[chosen])
        group.max_dendritic_delay_timesteps = int(delay.max()) + 1


if __name__ == "__main__":
    worker.work(prepare, f"GeNN {version('pygenn')}")
