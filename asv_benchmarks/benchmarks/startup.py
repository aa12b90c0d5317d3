"""Start-up in fresh processes: the import beyond NumPy's, and the first result with cold and warm kernel caches."""

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
FIRST_RESULT = "import izhnumba as iz; iz.Population(1000).run(100.0, 10.0)"
REPEATS = 7


class Startup:
    unit = "s"
    timeout = 300

    def setup(self):
        self.cache = tempfile.TemporaryDirectory()
        fresh_process(FIRST_RESULT, self.cache.name)  # fills the cache and writes byte code

    def teardown(self):
        self.cache.cleanup()

    def track_import_beyond_numpy(self):
        return statistics.median(float(fresh_process(IMPORT, self.cache.name)[1]) for _ in range(REPEATS))

    def track_first_result_warm(self):
        return statistics.median(fresh_process(FIRST_RESULT, self.cache.name)[0] for _ in range(REPEATS))

    def track_first_result_cold(self):
        return statistics.median(self._cold() for _ in range(REPEATS))

    def _cold(self):
        with tempfile.TemporaryDirectory() as empty:
            return fresh_process(FIRST_RESULT, empty)[0]


def fresh_process(code: str, cache: str) -> tuple[float, str]:
    """Wall time of a new interpreter that runs `code`, and what it prints."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return time.perf_counter() - start, done.stdout
