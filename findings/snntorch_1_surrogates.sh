#!/usr/bin/env bash
# snnTorch 1.0.0: of its surrogate gradients LSO cannot be called, SFS is 0 around the threshold, and atan is pi times as steep
# as documented.
#
# Seen:
# - surrogate.LSO()(x) is a TypeError: StochasticSpikeOperator.forward() misses `variance`. It calls another class.
# - surrogate.SFS(slope=25, B=1) says in its text: the slope of a fast sigmoid where U >= threshold - B, else 0. At U - threshold
#   of -0.1 and 0.1, where that is 1 / (1 + 2.5)^2 = 0.0816, it is 0.
# - surrogate.atan(alpha=2) says in its text: 1 / pi / (1 + (pi U)^2), which is 0.318 at the threshold; it is 1.
# Expected: slopes as documented.
# Needs python3.11 and pip; installs PyTorch. Exits with 0 while it is so, and with 1 once it has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
python="$folder/venv/bin/python"
"$python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 snntorch==1.0.0 2>/dev/null

"$python" -W ignore - <<'END'
import sys

import snntorch
import torch
from snntorch import surrogate


def slope(spike, x):
    x = torch.tensor(x, requires_grad=True)
    spike(x).sum().backward()
    return [round(value, 4) for value in x.grad.tolist()]


try:
    lso = slope(surrogate.LSO(), [-0.1])
except TypeError as error:
    lso = str(error)
sfs, atan = slope(surrogate.SFS(slope=25, B=1), [-0.1, 0.1]), slope(surrogate.atan(alpha=2.0), [0.0])
print(f"snnTorch {snntorch.__version__}: LSO: {lso}\nSFS at -0.1 and 0.1: {sfs}; atan at 0: {atan}")
sys.exit(not ("variance" in lso and sfs == [0.0, 0.0] and atan == [1.0]))
END
