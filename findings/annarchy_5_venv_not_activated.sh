#!/usr/bin/env bash
# ANNarchy 5.0.4.1 compiles no network in a virtual environment that is not activated.
#
# Seen: a network that is run by the full path of the environment's interpreter, as services and `subprocess` do, ends in
# `compile()` with "CMake generation failed." and nothing else. Its CMakeLists.txt takes whatever Python CMake finds and
# asks it for nanobind, which is in the environment, not there; what CMake has to say goes to a file in the build folder.
# The same script with the environment's folder in front of the PATH compiles, and its neuron spikes.
# Expected: the interpreter that runs (sys.executable) is handed to CMake.
# Needs python3.11, pip, a C++ compiler and CMake. Exits with 0 while it is so, and with 1 once it has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
python="$folder/venv/bin/python"
"$python" -m pip install --quiet --disable-pip-version-check ANNarchy==5.0.4.1 2>/dev/null

cat >"$folder/cell.py" <<'CELL'
import sys
import ANNarchy as ann

net = ann.Network(dt=1.0)
cell = net.create(1, ann.Izhikevich)
cell.i_offset = 10.0
spikes = net.monitor(cell, "spike")
net.compile(directory=sys.argv[1])
net.simulate(200.0)
print("spikes:", sum(map(len, spikes.get("spike").values())) > 0)
CELL

cd "$folder"
by_path=$("$python" cell.py "$folder/one" 2>&1 | tail -1 || true)
activated=$(PATH="$folder/venv/bin:$PATH" "$python" cell.py "$folder/two" 2>&1 | tail -1 || true)

echo "by its path: $by_path"
echo "with its folder on the PATH: $activated"
[[ "$by_path" == *"CMake generation failed."* ]] && [ "$activated" = "spikes: True" ]
