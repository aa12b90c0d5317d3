"""Sums in the order that docs/concepts/networks.md states, by plain loops over whole recordings."""

import numpy as np

BLOCK, LANES = 2048, 64


def ordered_sum(values, neurons):
    """The sum of values (samples, all neurons) over some neurons, as reductions make it: (samples,), float64."""
    neurons, total = np.sort(neurons), None
    for block in np.unique(neurons // BLOCK):
        part = values[:, neurons[neurons // BLOCK == block]].astype(np.float64)
        lanes = np.zeros((len(values), LANES))
        for start in range(0, part.shape[1], LANES):
            some = part[:, start : start + LANES]
            lanes[:, : some.shape[1]] += some
        while lanes.shape[1] > 1:
            half = lanes.shape[1] // 2
            lanes = lanes[:, :half] + lanes[:, half:]
        total = lanes[:, 0] if total is None else total + lanes[:, 0]
    return total


def counts(values, neurons, bins):
    """(samples, bins), as numpy.histogram counts the float64 values."""
    return np.array([np.histogram(row[neurons].astype(np.float64), bins)[0] for row in values])
