"""A proxy of the local field potential, from synaptic currents that have been summed over neurons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._record.reduced import ReductionRecorder
from izhnumba._record.reductions import Sum

Array = NDArray[np.float64]
Recorders = ReductionRecorder | Sequence[ReductionRecorder]
_MUST = "recorders of izhnumba.Sum('current', absolute=True)"


def lfp(
    ampa: Recorders, gaba: Recorders, *, alpha: float = 1.65, ampa_delay: float = 6.0, gaba_delay: float = 0.0
) -> tuple[Array, Array]:
    """The LFP that a weighted sum of synaptic currents onto pyramidal cells stands for:
    sum of abs(I_AMPA) at t - ampa_delay, plus alpha times the sum of abs(I_GABA) at t - gaba_delay.

    Parameters
    ----------
    ampa, gaba : ReductionRecorder, or a list of them
        What `net.record(syn, iz.Sum("current", absolute=True), every=...)` returned for synapses onto the pyramidal
        cells, excitatory and inhibitory; one for each receptor, on the same clock. All synapses, and all drives,
        through equal receptors of a population are in the current of one.
    alpha : float, >= 0
        Weight of the inhibitory currents.
    ampa_delay, gaba_delay : float, ms, whole numbers of `every`
        How much later they show.

    Returns
    -------
    t : ndarray (k,), ms
        The samples for which both currents are known.
    lfp : ndarray (k,) or (k, groups)
        In the unit of the currents, not normalised: the paper compares LFPs with mean 0 and variance 1, of either sign.

    Notes
    -----
    The defaults are the reference weighted sum of A. Mazzoni, H. Linden, H. Cuntz, A. Lansner, S. Panzeri and
    G. T. Einevoll, PLoS Computational Biology 11 (2015) e1004584, written there as
    sum I_AMPA(t - 6 ms) - 1.65 sum I_GABA(t), with currents of opposite signs. `alpha=1.0, ampa_delay=0.0` is the sum
    of the absolute currents of A. Mazzoni, S. Panzeri, N. K. Logothetis and N. Brunel, ibid. 4 (2008) e1000239.

    Raises
    ------
    TypeError, ValueError
        For other recorders, clocks that differ, and delays between samples.

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import analysis
    >>> net = iz.Network(dt=0.5, seed=1)
    >>> exc = net.add(iz.Population(80, **iz.presets["RS"]), name="exc")
    >>> inh = net.add(iz.Population(20, **iz.presets["FS"]), name="inh")
    >>> noise = net.drive(exc, iz.Noise(std=20.0)), net.drive(inh, iz.Noise(std=8.0))
    >>> excite = net.connect(exc, exc, iz.FixedProbability(0.2), weight=0.02, receptor=iz.AMPA())
    >>> inhibit = net.connect(inh, exc, iz.FixedProbability(0.2), weight=0.05, receptor=iz.GABA_A())
    >>> summed = [net.record(syn, iz.Sum("current", absolute=True), every=1.0) for syn in (excite, inhibit)]
    >>> net.run(200.0)
    >>> t, potential = analysis.lfp(*summed)
    >>> t[:3], potential.shape
    (array([7., 8., 9.]), (194,))
    """
    alpha = checks.number("lfp.alpha", alpha, at_least=0.0)
    excite, inhibit = _checked("lfp.ampa", ampa), _checked("lfp.gaba", gaba)
    every = excite[0]._options()["every"]
    t = excite[0].t
    for one in (*excite, *inhibit):
        if one._options()["every"] != every or not np.array_equal(one.t, t):
            raise ValueError(
                f"lfp.gaba must have been sampled at the times of lfp.ampa, got {one!r} beside {excite[0]!r}."
            )
    if t.size > 1 and not np.allclose(np.diff(t), every):
        raise ValueError("lfp.ampa must have been recorded without a pause, got times with gaps.")
    shifts = [
        checks.steps(f"lfp.{name}", delay, every)
        for name, delay in (("ampa_delay", ampa_delay), ("gaba_delay", gaba_delay))
    ]
    first = max(shifts)
    a, b = (
        np.sum([one.values for one in some], axis=0)[max(0, first - shift) : max(0, t.size - shift)]
        for some, shift in zip((excite, inhibit), shifts, strict=True)
    )
    return t[first:].copy(), a + alpha * b


def _checked(where: str, value: object) -> list[ReductionRecorder]:
    """Recorders of absolute currents, one or more."""
    given = list(value) if isinstance(value, (list, tuple)) else [value]
    if not given:
        raise ValueError(f"{where} must be {_MUST}, got none.")
    several = [checks.kind(where, one, ReductionRecorder, _MUST) for one in given]
    for one in several:
        what = one.what
        if type(what) is not Sum or what.state != "current" or not what.absolute:
            raise ValueError(f"{where} must be {_MUST}, got one of {what!r}.")
    return several
