"""Checkpoints and recordings of an older version load, hold what they held, and go on as they did there.

What `data/before_the_house/make.py` wrote with the last commit before the package was ordered into folders.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from normals import slow_philox

import izhnumba as iz
from izhnumba._input.target import Target

FOLDER = Path(__file__).parents[1] / "data" / "before_the_house"
SPEC = importlib.util.spec_from_file_location("make_before_the_house", FOLDER / "make.py")
make = sys.modules[SPEC.name] = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make)

# Bits of these are the same on all processors: they consist of sums and products that are compiled as they are written.
# The others fuse multiplications and additions as the processor can, and take exponentials and logarithms from the
# system's library and NumPy's loops: on another machine than the one of the files they are compared with a tolerance,
# wide enough for a processor without fused operations, and must have the same spikes. So are those of the scheme exact,
# whose series are of a higher order than in that version: they differ by rounding.
SAME_BITS = {"euler", "izhikevich2004", "nest", "nest_published"}
TOLERANCE = {np.float64: 1e-8, np.float32: 2e-2}
NOISY = {"inputs", "own"}  # whose normal numbers had other last digits, in float32


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Quantiles(iz.Poisson):
    """The draws of that version: the number of each neuron and step is a quantile of a random word of its own."""

    def bind(self, shape, dt, dtype, key, memory, *, unit="mV/ms"):
        n = math.prod(shape)
        to = Target(shape, dt, np.dtype(dtype), key, memory, unit)

        def number(step, i, mean):
            word = slow_philox((step // 4, 0, i, 0), key)[step % 4]
            below = chance = np.exp(-mean)
            count = 0
            while (word + 0.5) * 2.0**-32 > below:
                count += 1
                chance *= mean / count
                below += chance
            return count

        def rows(step, count):
            rate = (
                np.broadcast_to(self.rate, (count, *np.shape(self.rate)))
                if isinstance(self.rate, np.ndarray)
                else (self.rate._values(step + np.arange(count, dtype=np.float64), dt))
            )
            means = np.broadcast_to(self._means(rate, to), (count, n))
            counts = [[number(step + k, i, means[k, i]) for i in range(n)] for k in range(count)]
            return np.asarray(np.array(counts, dtype) * np.asarray(self.weight, dtype))

        return rows


def mine():
    """What a user of that version had defined; u_slope of the model is wrong, at which nobody looked then."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(iz.Model, "_try_equations", lambda self: None)
        return [dataclasses.replace(iz.Izhikevich, name="Mine", du=make.no_leak), make.Forgetting, Quantiles]


def unpacked(name, folder):
    """The checkpoint and what was read off the network when it was saved and later; recordings are put beside it."""
    with zipfile.ZipFile(FOLDER / "files.zip") as files:
        path = folder / f"{name}.npz"
        path.write_bytes(make.moved(files.read(path.name), "FOLDER", str(folder)))
        for recording in (one for one in files.namelist() if one.endswith(".rec")):
            files.extract(recording, folder)
        with np.load(files.extract(f"{name} outcome.npz", folder)) as outcome:
            return path, dict(outcome)


# What reprs say of fields that these classes did not have then.
NEWER = {
    "DopamineSTDP: receptor and rule": ", pairing='all'",
    "NMDA: receptor and rule": ", block='jahr-stevens'",
}


def compare(net, kept, when, bits, noisy=False):
    found = make.outcome(net)
    for key, newer in NEWER.items():
        if key in found:
            found[key] = np.array([text.replace(newer, "") for text in found[key]])
    wanted = {key.removeprefix(when): value for key, value in kept.items() if key.startswith(when)}
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        assert found[key].dtype == value.dtype, key
        if bits or value.dtype.kind != "f":
            np.testing.assert_array_equal(found[key], value, err_msg=key)
        else:
            rtol = 1e-3 if noisy else TOLERANCE[value.dtype.type]
            np.testing.assert_allclose(found[key], value, rtol=rtol, atol=rtol, err_msg=key)


# Half a minute of compiling goes into runs of these, whose parts run in the other networks as well.
ONLY_LOADED = {"models", "rules_float32", "conductances"}


@pytest.mark.parametrize("name", make.NETWORKS)
def test_a_checkpoint_goes_on(tmp_path, name):
    path, kept = unpacked(name, tmp_path)
    net = iz.load(path, define=mine())
    compare(net, kept, "saved, ", bits=True)
    if name in ONLY_LOADED:
        return
    for drive in net.drives.values():
        if type(drive.value) is iz.Poisson and net.scheme.name != "exact":
            drive.value = Quantiles(drive.value.rate, drive.value.weight, drive.value.receptor)
    net.run(make.GOES_ON)
    bits = name in SAME_BITS or np.array_equal(make.machine(), kept["machine"])
    compare(net, kept, "later, ", bits and net.scheme.name != "exact" and name not in NOISY, name in NOISY)
    path.unlink()
    net.save(path)  # and what goes on can be saved again
    assert iz.load(path, define=mine()).t == net.t


@pytest.mark.parametrize(("name", "scheme"), [("recorders", "exp_euler"), ("exact", "exact")])
def test_a_recording_is_read(tmp_path, name, scheme):
    _, kept = unpacked(name, tmp_path)
    for what, recorder in (("spikes", "part"), ("states", "states"), ("weights", "weights")):
        found = iz.io.read(tmp_path / f"{scheme} {what}.rec")
        columns = [key for key in kept if key.startswith(f"saved, {recorder} in file: ")]
        assert len(found) > 1
        assert columns
        for key in columns:
            np.testing.assert_array_equal(getattr(found, key.rpartition(" ")[2]), kept[key], err_msg=key)
