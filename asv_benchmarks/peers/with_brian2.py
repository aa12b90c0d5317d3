"""Brian2 in C++ standalone mode, its fastest on one thread: a program that is generated and compiled for the network.

The time is that which the program gives for its loop over steps.
"""

from __future__ import annotations

import tempfile

import brian2 as b
import numpy as np
import worker

EULER = """
dv/dt = (0.04*v**2 + 5*v + 140 - u + I)/ms : 1
du/dt = a*(b*v - u)/ms : 1
I : 1 (constant)
"""
STATE = "v : 1\nu : 1\nI : 1\n"
HALF_STEPS = """
v += 0.5*((0.04*v + 5)*v + 140 - u + I)
v += 0.5*((0.04*v + 5)*v + 140 - u + I)
u += a*(b*v - u)
I = 0
"""
STDP2006 = """
w : 1
change : 1
dpre_trace/dt = -pre_trace/tau : 1 (event-driven)
dpost_trace/dt = -post_trace/tau : 1 (event-driven)
"""
FOLDER = tempfile.TemporaryDirectory()


def prepare(network, seconds, dtype):
    if network.scheme == "exp_euler":
        raise worker.CannotSimulate("its exponential Euler is for equations that are linear in V")
    b.set_device("cpp_standalone", directory=FOLDER.name, build_on_run=False)
    b.prefs.core.default_float_dtype = np.dtype(dtype).type
    b.defaultclock.dt = network.dt * b.ms
    b.seed(1)
    cells = neurons(network)
    spikes = b.SpikeMonitor(cells)
    parts = [cells, spikes, *(synapses(network, cells) if network.post is not None else [])]
    model = b.Network(parts)
    if network.scheme == "euler":  # V jumps before the threshold is looked at, as in NEST and izhnumba
        model.schedule = ["start", "groups", "synapses", "thresholds", "resets", "end"]
    model.run(seconds * b.second)
    b.device.build(directory=FOLDER.name, run=False)

    def simulate():
        b.device.run()
        return b.device._last_run_time, spikes.num_spikes

    return simulate


def neurons(network):
    values = {name: getattr(network, name) for name in "abcd"}
    constants = {name: x for name, x in values.items() if np.ndim(x) == 0}
    declared = "".join(f"{name} : 1 (constant)\n" for name in values if name not in constants)
    if network.std is not None:
        values["std"], declared = network.std, declared + "std : 1 (constant)\n"
    equations = (EULER if network.scheme == "euler" else STATE) + declared
    cells = b.NeuronGroup(
        network.n, equations, threshold="v >= 30", reset="v = c; u += d", method="euler", namespace=constants
    )
    for name, x in values.items():
        if name not in constants:
            setattr(cells, name, x)
    cells.v, cells.u = network.V, network.u
    if network.current is not None:
        cells.I = network.current
    if network.scheme == "izhikevich2003":
        drive_and_step(network, cells)
    return cells


def drive_and_step(network, cells):
    if network.std is not None:
        drive = "I += std*randn()"
    else:
        cells.namespace["kicked"] = b.TimedArray(network.kicked, dt=network.dt * b.ms)
        drive = f"I += {network.kick}*int(i == kicked(t))"
    cells.run_regularly(drive + HALF_STEPS, when="groups")


def synapses(network, cells):
    pre, post = worker.pairs(network)
    weight = network.weight.ravel()
    delay = (network.delay.ravel() - 1) * network.dt * b.ms  # its spikes can arrive in the step that found them
    target = "v_post" if network.scheme == "euler" else "I_post"
    fixed = np.full(pre.size, True)
    if network.plastic:
        fixed = weight < 0
        yield plastic(cells, pre[~fixed], post[~fixed], weight[~fixed], delay[~fixed])
    group = b.Synapses(cells, cells, "w : 1 (constant)", on_pre=f"{target} += w")
    group.connect(i=pre[fixed], j=post[fixed])
    group.w, group.delay = weight[fixed], delay[fixed]
    yield group


def plastic(cells, pre, post, weight, delay):
    """The rule of 2006: nearest spikes, changes that are added to the weights once a second."""
    group = b.Synapses(
        cells, cells, STDP2006, namespace={"tau": -b.ms / np.log(0.95)},
        on_pre="I_post += w; pre_trace = 0.1/0.95; change -= post_trace",
        on_post="post_trace = 0.12; change += pre_trace",
    )  # fmt: skip
    group.connect(i=pre, j=post)
    group.w, group.delay = weight, delay
    group.post.order = group.pre.order - 1
    update = "change *= 0.9; w = clip(w + int(t > 0*ms)*0.01 + change, 0, 10)"
    group.run_regularly(update, dt=1 * b.second, when="start")
    return group


if __name__ == "__main__":
    worker.work(prepare, f"Brian2 {b.__version__} C++")
