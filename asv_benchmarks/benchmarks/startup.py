"""Start-up in fresh processes: the import beyond NumPy's, and the first result with cold and warm kernel caches.

A cold cache is an empty one of the user's: kernels that came with the package (`izhnumba compile`) are used.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

IMPORT = """
import time, numpy
start = time.perf_counter()
import izhnumba
print(time.perf_counter() - start)
"""
FIRST_RESULT = {
    "population": "import izhnumba as iz; iz.Population(1000).run(100.0, 10.0)",
    "network of 2003": "from izhnumba.cli._demo import network_2003; network_2003(1, 1.0)[0].run(100.0)",
    "exact population": "import izhnumba as iz; iz.Population(1, scheme='exact', **iz.presets['RS']).run(100.0, 10.0)",
    "exact network": """
import izhnumba as iz
net = iz.Network(scheme="exact", seed=1)
cells = net.add(iz.Population(100, **iz.presets["RS"]))
net.connect(cells, cells, iz.FixedOutDegree(10), weight=0.5, delay=1.0)
net.drive(cells, 10.0)
net.run(100.0)
""",
}
REPEATS = 7


class Import:
    unit = "s"
    timeout = 300

    def track_beyond_numpy(self):
        with tempfile.TemporaryDirectory() as cache:
            fresh_process(IMPORT, cache)  # writes byte code
            return statistics.median(float(fresh_process(IMPORT, cache)[1]) for _ in range(REPEATS))


class FirstResult:
    unit = "s"
    timeout = 300
    params = list(FIRST_RESULT)
    param_names = ["what"]

    def setup(self, what):
        self.cache = tempfile.TemporaryDirectory()
        fresh_process(FIRST_RESULT[what], self.cache.name)  # fills the cache and writes byte code

    def teardown(self, what):
        self.cache.cleanup()

    def track_warm(self, what):
        return statistics.median(fresh_process(FIRST_RESULT[what], self.cache.name)[0] for _ in range(REPEATS))

    def track_cold(self, what):
        return statistics.median(self._cold(what) for _ in range(REPEATS))

    def _cold(self, what):
        with tempfile.TemporaryDirectory() as empty:
            return fresh_process(FIRST_RESULT[what], empty)[0]


def fresh_process(code: str, cache: str) -> tuple[float, str]:
    """Wall time of a new interpreter that runs `code`, and what it prints."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return time.perf_counter() - start, done.stdout
