"""A network that is saved in the midst of a run and goes on from the file."""

import numpy as np

import izhnumba as iz


def assert_goes_on_after_loading(network, duration, saved_at, folder):
    """`network(threads)` with a recorder "spikes" has the same spikes after `duration` ms on one thread as on two with
    a file in between."""
    whole, half = network(1), network(2)
    whole.run(duration)
    half.run(saved_at)
    half.save(folder / "half.npz")
    other = iz.load(folder / "half.npz")
    other.run(duration - saved_at)
    for x in "it":
        np.testing.assert_array_equal(getattr(other.recorders["spikes"], x), getattr(whole.recorders["spikes"], x))
    assert len(whole.recorders["spikes"].t) > 4
