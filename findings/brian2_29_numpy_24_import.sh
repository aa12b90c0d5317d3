#!/usr/bin/env bash
# Brian2 2.9.0, the last release for Python 3.11, cannot be imported with NumPy 2.4.
#
# Seen: Brian2 2.9.0 asks for any NumPy, so that `pip install brian2` on Python 3.11 brings NumPy 2.4. `import brian2`
# then ends with "AttributeError: type object 'numpy.ndarray' has no attribute 'ptp'": its class of quantities wraps a
# method of arrays that NumPy has removed. With NumPy 2.3 the same import works. Brian2 2.10 (Python 3.12) and 2.11
# (3.13) are mended.
# Expected: a bound on NumPy in its requirements, or an import that works.
# Needs python3.11 and pip. Exits with 0 while it is so, and with 1 once it has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
python="$folder/venv/bin/python"

"$python" -m pip install --quiet --disable-pip-version-check brian2==2.9.0 numpy==2.4.6 2>/dev/null
with_new=$("$python" -W ignore -c "import brian2" 2>&1 | tail -1 || true)
"$python" -m pip install --quiet --disable-pip-version-check numpy==2.3.5 2>/dev/null
with_old=$("$python" -W ignore -c "import brian2; print('imported', brian2.__version__)" 2>&1 | tail -1 || true)

echo "Brian2 2.9.0 with NumPy 2.4.6: $with_new"
echo "Brian2 2.9.0 with NumPy 2.3.5: $with_old"
[ "$with_new" = "AttributeError: type object 'numpy.ndarray' has no attribute 'ptp'" ] && [ "$with_old" = "imported 2.9.0" ]
