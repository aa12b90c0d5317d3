#!/usr/bin/env bash
# PyNN 0.13.0 cannot connect a population of one cell to another of one by its OneToOneConnector, with NumPy 2.3.5.
#
# Seen: ValueError: Calling nonzero on 0d arrays is not allowed. It looks at a mask that is a single number there. With
# AllToAllConnector, or two cells, the same program works.
# Expected: one connection.
# Needs python3.11 and pip. Exits with 0 while it is so, and with 1 once it has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
python="$folder/venv/bin/python"
"$python" -m pip install --quiet --disable-pip-version-check pynn==0.13.0 nest-simulator==3.10.0 numpy==2.3.5 2>/dev/null

"$python" -W ignore - 2>/dev/null <<'END' | tail -n 1
import sys

import pyNN
import pyNN.nest as sim

sim.setup()
seen = []
for n in (1, 2):
    one, other = (sim.Population(n, sim.IF_curr_exp()) for _ in range(2))
    try:
        seen.append(sim.Projection(one, other, sim.OneToOneConnector(), sim.StaticSynapse(weight=1.0)).size())
    except ValueError as error:
        seen.append(str(error)[:43])
print(f"PyNN {pyNN.__version__}: connections of 1 cell: {seen[0]}; of 2 cells: {seen[1]}")
sys.exit(seen != ["Calling nonzero on 0d arrays is not allowed", 2])
END
