"""Access to tests/data: recorded runs, judge files, and the stimuli that these state as rules."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

DATA = Path(__file__).parents[1] / "data"

# FS-like neurons (a near 0.1), noise at dt = 0.5 ms and strong input at dt = 0.25 ms double a rounding error with about
# every spike: there, even the oracle, with the same operations in another order, leaves the recorded raster.
# The steps up to which rasters are equal were found with the oracle under relative disturbances of 3e-13 in every step.
CALM_STEPS = {"cell_types": 1400, "noisy_dt05": 1300, "ref_heterogeneous": 1000}
CALM_NEURONS = {"cell_types": [0, 1, 2, 4, 6], "noisy_dt05": [2, 5, 7], "ref_heterogeneous": [0, 5]}
RUNS = sorted(path.stem.removesuffix("_f64") for path in DATA.glob("*_f64.npz"))

# Steps that the recorded float32 program held one step longer than integer counting, by its float test of time.
EXTRA_HELD = {"ref_tau2_f32": (338,), "ref_tau5_f32": (646, 1297)}


def trajectory(name):
    with np.load(DATA / f"{name}.npz") as data:
        run = {key: data[key] for key in data.files}
    run["dt"], run["model"] = float(run["dt"]), str(run["model"])
    return run


def parameters(run):
    return {name: run[f"param_{name}"] for name in ("a", "b", "c", "d", "V_th")}


def judge(name):
    return json.loads((DATA / f"{name}.json").read_text())


def panels():
    """The panels of 2004 with spikes recorded under the published scheme."""
    return [panel for panel in judge("izhikevich2004_20_patterns")["patterns"] if "published_scheme" in panel]


def panel_current(panel):
    """The current of every sample t = 0, tau, ..., T; switches are strict (t > start, t < stop), as in figure1.m."""
    t = np.arange(round(panel["T_ms"] / panel["tau_ms"]) + 1) * panel["tau_ms"]
    rule = panel["input"]
    if "step" in rule:
        start, amplitude = rule["step"]
        return np.where(t > start, amplitude, 0.0)
    if "ramp" in rule:
        start, slope, base = rule["ramp"]
        return base + np.where(t > start, slope * (t - start), 0.0)
    on = np.any([(t > start) & (t < stop) for start, stop in rule["pulses"]], axis=0)
    return np.where(on, rule["amp"], rule["base"]).astype(float)


def octave_cells():
    """The five cells of the Open Source Brain's Octave run, as panels; `input` reads like '14 for t>10'."""
    cells = judge("osb_neuroml_spike_times")["matlab_2003"]["cases"]
    for cell in cells:
        amplitude, start = cell["input"].split(" for t>")
        cell["input"] = {"step": (float(start), float(amplitude))}
        cell["quadratic"] = (0.04, 5.0, 140.0)
        cell["u_init"] = cell["b"] * cell["v_init"]
    return cells


def crossings(V, spikes):
    """Steps of the first sample at or above 0 mV, a spike counting as a sample at the peak."""
    above = (V >= 0) | spikes
    return np.flatnonzero(above & ~np.concatenate(([False], above[:-1])))


def exact_patterns():
    """The names of all patterns with exact spike times."""
    with np.load(DATA / "exact_spike_times.npz") as data:
        return data["names"].tolist()


class Exact:
    """One pattern of exact_spike_times.npz: parameters of the 2003 form, current and exact spike times."""

    def __init__(self, name):
        with np.load(DATA / "exact_spike_times.npz") as data:
            p = dict(zip(data["par_names"].tolist(), data[f"{name}|par"].tolist(), strict=True))
            self.segments, self.spikes = data[f"{name}|segments"], data[f"{name}|spikes"]
        assert p["u_c"] == 0
        self.V, self.u = p["V0"], p["u0"]
        self.parameters = {"a": -p["u_b"], "b": -p["u_a"] / p["u_b"], "k2": p["p"], "k1": p["q"], "k0": p["r"]}
        self.parameters |= {key: p[key] for key in ("c", "d", "V_th")}

    def current(self, n_steps, dt):
        """The current in the middle of every step, which is exact for the constant pieces when they end on steps."""
        t = (np.arange(n_steps) + 0.5) * dt
        piece = np.searchsorted(self.segments[:, 0], t, side="right") - 1
        start, value, slope = self.segments[piece].T
        return value + slope * (t - start)

    def check(self, steps, dt, T):
        """Compare the spike steps of a converging scheme that resets at the end of its steps.

        The first falls into the step of the exact one, the next ones are late by the delays that the resets passed on.
        """
        exact = self.spikes[self.spikes < T]
        assert len(steps) == len(exact)
        assert steps[0] == np.ceil(exact[0] / dt) - 1
        late = ((steps + 1) * dt - exact)[:4] / dt
        assert np.all((late > 0) & (late < 6))


# Patterns with piecewise constant current and spikes within 100 ms; in Q every spike multiplies the delay before it.
EXACT = [
    "A tonic spiking", "C tonic bursting", "E mixed mode", "I spike latency", "M rebound spike", "O thr. variability",
    "S inh-ind. spiking", "RS", "CH", "TC", "LTS",
]  # fmt: skip
