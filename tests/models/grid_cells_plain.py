"""A sheet of Y. Burak and I. R. Fiete 2009 with spiking cells in plain NumPy: weights, delays, steps by formulas."""

from __future__ import annotations

import numpy as np


def run(V, drive, noise, *, dt, w0, shift, beta):
    """Spikes as pairs (step, cell) of cells that inhibit each other on a torus.

    V: mV at the start, shape (rows, columns); drive, noise: mV/ms, shape (steps, cells).
    """
    rows, columns = V.shape
    n = rows * columns
    i = np.arange(n)
    y, x = i // columns, i % columns
    e_x = np.where((y % 2 == 0) & (x % 2 == 0), 1, 0) - np.where((y % 2 == 1) & (x % 2 == 1), 1, 0)
    e_y = np.where((y % 2 == 0) & (x % 2 == 1), 1, 0) - np.where((y % 2 == 1) & (x % 2 == 0), 1, 0)

    def around(difference, period):
        return (difference + period / 2) % period - period / 2

    weights, delays = np.zeros((n, n)), np.zeros((n, n), dtype=int)  # from row to column
    for j in range(n):
        r2 = around(x - x[j] - shift * e_x[j], columns) ** 2 + around(y - y[j] - shift * e_y[j], rows) ** 2
        weights[j] = w0 * (np.exp(-beta * r2) - np.exp(-1.05 * beta * r2))
        distance = 0.02 * np.hypot(around(x - x[j], columns), around(y - y[j], rows))  # mm
        delays[j] = np.floor((1.0 + distance / 0.1) / dt + 0.5)
    weights[weights <= 0.02 * weights.max()] = 0.0

    V, u, g = V.ravel().copy(), np.full(n, -13.0), np.zeros(n)
    arriving = np.zeros((delays.max() + 1, n))
    spikes = []
    for k in range(len(drive)):
        fired = V >= 30.0  # in the step before: the reset comes first
        V[fired], u[fired] = -65.0, u[fired] + 2.0
        f = (0.04 * V + 5.0) * V + 140.0 - u + drive[k] + noise[k] + g * (-75.0 - V)
        z = dt * (0.08 * V + 5.0 - g)
        V = V + dt * np.where(z == 0, 1.0, np.expm1(z) / np.where(z == 0, 1.0, z)) * f
        u = u + (1 - np.exp(-dt * 0.1)) * (0.2 * V - u)
        now = k % len(arriving)
        g = g * np.exp(-dt / 20.0) + arriving[now]
        arriving[now] = 0.0
        for j in np.flatnonzero(V >= 30.0):
            spikes.append((k, int(j)))
            np.add.at(arriving, ((k + delays[j]) % len(arriving), i), weights[j])
    return spikes
