#!/usr/bin/env bash
# Brian2 2.9.0 takes method="heun" for equations without noise, and then advances them by forward Euler.
#
# Seen: one cell of the 2003 model, 30 steps of 0.1 ms up to its first spike, current 10. With method="heun" V ends on the very bits of
# method="euler". With Heun's rule, the mean of an Euler step and of one from where it leads to, it ends some
# mV from there. In Brian2 the method is the Euler-Heun rule of stochastic equations: its corrector takes the noise
# alone. Nothing warns, and method="rk2", the midpoint rule, is what there is of second order.
# Expected: a refusal of equations without noise, as of others that a method cannot take, or Heun's rule.
# Needs python3.11 and pip. Exits with 0 while it is so, and with 1 once it has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
python="$folder/venv/bin/python"
"$python" -m pip install --quiet --disable-pip-version-check brian2==2.9.0 numpy==2.3.5 2>/dev/null

"$python" -W ignore - <<'END'
import sys

import brian2 as b

b.prefs.codegen.target = "numpy"
EQUATIONS = """
dv/dt = (0.04*v**2 + 5*v + 140 - u + 10)/ms : 1
du/dt = 0.02*(0.2*v - u)/ms : 1
"""
DT, STEPS = 0.1, 30  # before the first spike


def end_of(method):
    cell = b.NeuronGroup(1, EQUATIONS, method=method, dt=DT * b.ms)
    cell.v, cell.u = -70.0, -14.0
    b.Network(cell).run(STEPS * DT * b.ms)
    return float(cell.v[0])


def slopes(v, u):
    return 0.04 * v * v + 5 * v + 140 - u + 10, 0.02 * (0.2 * v - u)


v, u = -70.0, -14.0
for _ in range(STEPS):
    a, b_ = slopes(v, u)
    c, d = slopes(v + DT * a, u + DT * b_)
    v, u = v + DT * (a + c) / 2, u + DT * (b_ + d) / 2
heun, euler = end_of("heun"), end_of("euler")
print(f"Brian2 {b.__version__}: V after {STEPS} steps: heun {heun:.6f}, euler {euler:.6f}; Heun's rule {v:.6f}")
sys.exit(not (heun == euler and abs(v - euler) > 0.1))
END
