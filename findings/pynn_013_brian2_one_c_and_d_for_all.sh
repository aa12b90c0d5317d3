#!/usr/bin/env bash
# PyNN 0.13.0 gives all Izhikevich cells of a population c and d of its first cell, with Brian2.
#
# Seen: three cells with c of -65, -55, -50 and d of 8, 4, 2, which are regular spiking, intrinsically bursting and
# chattering in the paper of 2003. In 200 ms with NEST they spike 5, 8 and 22 times, with Brian2 5, 5 and 5 times.
# `get` tells the first c for all. The reset is written once, as a text with the numbers of the first cell. Nothing warns.
# Expected: the spikes of each cell's own c and d, or a refusal of parameters that differ.
# Needs python3.11 and pip. Exits with 0 while it is so, and with 1 once it has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
python="$folder/venv/bin/python"
"$python" -m pip install --quiet --disable-pip-version-check \
    pynn==0.13.0 brian2==2.9.0 nest-simulator==3.10.0 numpy==2.3.5 2>/dev/null

cat >"$folder/cells.py" <<'END'
import importlib
import sys

import pyNN

sim = importlib.import_module(f"pyNN.{sys.argv[1]}")
if sys.argv[1] == "brian2":
    import brian2

    brian2.prefs.codegen.target = "numpy"
sim.setup(timestep=0.1, min_delay=0.1)
model = sim.Izhikevich(c=[-65.0, -55.0, -50.0], d=[8.0, 4.0, 2.0], i_offset=0.01)
cells = sim.Population(3, model, initial_values={"v": -65.0, "u": -13.0})
cells.record("spikes")
sim.run(200.0)
counts = [len(train) for train in cells.get_data().segments[0].spiketrains]
print(f"PyNN {pyNN.__version__}, {sys.argv[1]}: spikes of the three cells:", *counts)
END
nest=$("$python" -W ignore "$folder/cells.py" nest 2>/dev/null | tail -n 1)
brian2=$("$python" -W ignore "$folder/cells.py" brian2 2>/dev/null | tail -n 1)
echo "$nest"
echo "$brian2"
[[ $nest == *": 5 8 22" && $brian2 == *": 5 5 5" ]]
