#!/usr/bin/env bash
# PyNN 0.13.0 with NEST: STDP onto an Izhikevich cell changes its weight a thousandfold, and `get` tells a thousandth of it.
#
# Weights onto Izhikevich cells are jumps of V in mV. Seen: a weight of 2 with A_plus = 0.01 and w_max = 4 delivers 2 mV,
# as it should, but `get` says 0.002. One pair of spikes, 5 ms apart, should add 0.01 * 4 * exp(-5 / 20) = 0.03 mV, and does so
# with Brian2; with NEST it adds 31 mV: `w_max` of the weight rule is multiplied by 1000, as for currents in nA, where the weight
# itself is not.
# Expected: 2.03 mV, and `get` telling what was set.
# Needs python3.11 and pip. Exits with 0 while it is so, and with 1 once it has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
python="$folder/venv/bin/python"
"$python" -m pip install --quiet --disable-pip-version-check pynn==0.13.0 nest-simulator==3.10.0 numpy==2.3.5 2>/dev/null

"$python" -W ignore - 2>/dev/null <<'END' | tail -n 1
import sys

import nest
import pyNN
import pyNN.nest as sim

sim.setup(timestep=0.1, min_delay=0.1)
pre, kick = (sim.Population(1, sim.SpikeSourceArray(spike_times=t)) for t in ([10.0, 100.0], [15.0]))
post = sim.Population(1, sim.Izhikevich(d=8.0), initial_values={"v": -65.0, "u": -13.0})
learns = sim.STDPMechanism(
    sim.SpikePairRule(tau_plus=20.0, tau_minus=20.0, A_plus=0.01, A_minus=0.01),
    sim.AdditiveWeightDependence(w_min=0.0, w_max=4.0), weight=2.0, delay=0.1,
)
synapse = sim.Projection(pre, post, sim.AllToAllConnector(), learns)
sim.Projection(kick, post, sim.AllToAllConnector(), sim.StaticSynapse(weight=200.0, delay=0.1))
before = synapse.get("weight", "array").item()
sim.run(100.2)
(connection,) = [c for c in nest.GetConnections(synapse_model="stdp_synapse_lbl")]
w_max, weight = connection.Wmax, connection.weight
print(f"PyNN {pyNN.__version__}: weight 2 is told as {before:g}; w_max 4 is {w_max:g} in NEST; after a pair: {weight:.2f} mV")
sys.exit(not (before == 0.002 and w_max == 4000.0 and weight > 30.0))
END
