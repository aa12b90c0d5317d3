"""Threads of both kinds, ours and the user's, and forks: right results, no abort, no hang, in every threading layer."""

from __future__ import annotations

import importlib

import pytest
from processes import run, write

SCRIPT = """
import hashlib, json, multiprocessing, os, sys, threading, warnings
import numpy as np, numba, izhnumba as iz

SIZES = 700, 40_001  # the second one is worth several threads

def simulate(n, threads):
    "A digest of all results of a run with padding in the last block and records in every block."
    pop = iz.Population(n, V=np.linspace(-70, 20, n), u=-13.0, seed=1, threads=threads)
    I = np.linspace(4, 14, 100 * n).reshape(100, n)
    first = pop.run(10.0, I=I, record=["V", "u"], every=1.0, neurons=np.arange(0, n, 97))
    second = pop.run(30.0, I=10.0)
    pop.step(I[0])
    parts = [r.spikes.i for r in (first, second)] + [r.spikes.step for r in (first, second)] + [first.V, first.u]
    assert all(part.size for part in parts)
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(x).tobytes() for x in (*parts, pop.V, pop.u, pop.spikes)))
    return digest.hexdigest()

def launched():
    try:
        return numba.threading_layer()
    except ValueError:
        return None

def number_of_threads():
    results = [simulate(SIZES[1], 1)]
    assert launched() is None
    results += [simulate(SIZES[1], threads) for threads in (2, 3, 4, None)]
    return launched() == numba.config.THREADING_LAYER and len(set(results)) == 1

def python_threads():
    expected = [simulate(n, 1) for n in SIZES]
    results = []
    def work(k):
        for j in range(3):
            results.append(simulate(SIZES[(j + k) % 2], 1 + k % 2) == expected[(j + k) % 2])
    workers = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return results == [True] * 12

def fork():
    warnings.simplefilter("ignore", DeprecationWarning)  # of forks of processes with threads
    expected = [simulate(n, 2) for n in SIZES]
    assert launched()
    child = os.fork()
    if child == 0:
        os._exit(0 if [simulate(n, 2) for n in SIZES] == expected else 1)
    status = os.waitpid(child, 0)[1]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        results = pool.starmap(simulate, [(n, threads) for n in SIZES for threads in (1, 2)], chunksize=1)
    return status == 0 and results == [expected[0], expected[0], expected[1], expected[1]] and [
        simulate(n, 2) for n in SIZES] == expected

if __name__ == "__main__":
    print(json.dumps([globals()[what]() for what in sys.argv[1:]]))
"""


def can_be_loaded(pool):
    try:
        importlib.import_module(f"numba.np.ufunc.{pool}")
    except ImportError:
        return False
    return True


POOLS = {"omp": "omppool", "workqueue": "workqueue", "tbb": "tbbpool"}
LAYERS = [layer for layer, pool in POOLS.items() if can_be_loaded(pool)]


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    return write(tmp_path_factory.mktemp("threads") / "script.py", SCRIPT)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("what", [("number_of_threads", "python_threads"), ("fork",)], ids=" and ".join)
def test_threads(script, what, layer):
    assert all(run(script, *what, timeout=90, NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS=4))
