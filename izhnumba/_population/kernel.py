"""`kernel`: one step of a model as a compiled function for the user's own loops."""

from __future__ import annotations

from typing import Any

from izhnumba._base import checks
from izhnumba._model.izhikevich import Izhikevich
from izhnumba._model.model import Model
from izhnumba._model.schemes import schemes


def kernel(model: Model = Izhikevich, scheme: str = "exp_euler", dtype: object = "float64", reset: str = "hard") -> Any:
    """A compiled `step(V, u, I, p, dt, spikes)` on plain arrays, callable from Python and from your `@njit` code.

    Parameters
    ----------
    model : Model
    scheme : str
        One of `izhnumba.schemes` but "exact", which has no steps.
    dtype : "float64" or "float32"
    reset : "hard", "soft" or "overshoot"

    Returns
    -------
    Numba dispatcher `step(V, u, I, p, dt, spikes)`, which returns the number of spikes:

    V, u : 1-D arrays of dtype, C-contiguous, changed in place (mV and mV/ms; pA for Izhikevich2007).
    I : 1-D array of dtype, the input during the step (mV/ms; pA).
    p : tuple with one entry per parameter, in the order of `model.parameters`: a number or an array like V; then for
        each of `model.states` its array, which is changed in place as V is.
    dt : float, ms.
    spikes : 1-D array of bool, set to whether the neuron spiked in this step.

    Raises
    ------
    TypeError, ValueError
        For an unknown scheme, reset or dtype, and for the scheme "exact". The compiled function itself checks nothing.

    Notes
    -----
    Rules and order of operations are those of `Population.step`, without refractoriness, floor and other inputs: the
    same bits, except exp_euler, where exprel is evaluated in its full-range form and the last bits may differ. The
    same arguments give the same function; its machine code is kept on disk.

    Examples
    --------
    >>> import numpy as np, izhnumba as iz
    >>> step = iz.kernel(iz.Izhikevich, "euler")
    >>> V, u, spikes = np.full(3, -65.0), np.full(3, -13.0), np.zeros(3, bool)
    >>> p = (0.02, 0.2, -65.0, np.array([8.0, 6.0, 2.0]), 30.0, 0.04, 5.0, 140.0)
    >>> sum(step(V, u, np.full(3, 10.0), p, 0.1, spikes) for k in range(1000))
    15
    """
    if not isinstance(model, Model):
        raise TypeError(f"kernel.model must be an izhnumba.Model, got {checks.shown(model)}. Use izhnumba.Izhikevich.")
    chosen = schemes[checks.one_of("kernel.scheme", scheme, schemes)]
    if chosen.exact:
        raise ValueError(
            "kernel.scheme must be one that has steps, got 'exact'. Use a clock scheme such as 'rk4', or "
            "Population(scheme='exact').step(I, dt=...)."
        )
    number = checks.dtype("kernel.dtype", dtype).name
    checks.one_of("kernel.reset", reset, ("hard", "soft", "overshoot"))
    from izhnumba._clock.kernels.embedded import build

    return build(model, chosen, number, reset)
