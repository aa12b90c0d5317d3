"""Accuracy of clock-driven schemes: their spikes compared with those in continuous time, or of much finer steps."""

from __future__ import annotations

import contextlib
import math
import time
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from izhnumba._base import checks
from izhnumba._base.axes import COLORS, axes_for, labelled
from izhnumba._base.words import counted
from izhnumba._input.input import Input
from izhnumba._model.schemes import schemes as _known_schemes
from izhnumba._population.parameters import arguments_of
from izhnumba._population.population import Population
from izhnumba._record.events import Spikes
from izhnumba._record.found import optional
from izhnumba.analysis._matching import match_spikes, trains

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

Array = np.ndarray[Any, np.dtype[Any]]
Trains = dict[tuple[int, int], Array]  # spike times (ms) by batch entry and neuron


class _Reference(NamedTuple):
    """What schemes are compared with. seconds: wall time; dt: ms, None with the scheme "exact"."""

    trains: Trains
    seconds: float
    scheme: str
    dt: float | None


class Accuracy(NamedTuple):
    """Accuracy of one scheme at one time step, a row of an `AccuracyReport`.

    Attributes
    ----------
    scheme : str
    dt : float, ms
    spikes : int
        Number of spikes of the scheme.
    missed, spurious : int
        Spikes of the reference without a partner, and spikes of the scheme without one.
    max_error, median_error : float, ms
        Largest and median distance between matched spikes; NaN if there are none.
    seconds : float
        Wall time of the run, without compilation.

    Examples
    --------
    >>> from izhnumba import analysis
    >>> analysis.Accuracy("euler", 0.1, 7, 1, 0, 0.9, 0.4, 1e-3).missed
    1
    """

    scheme: str
    dt: float
    spikes: int
    missed: int
    spurious: int
    max_error: float
    median_error: float
    seconds: float


class AccuracyReport:
    """Result of `accuracy_report`; printed, it is a table. Its parameters are its attributes.

    Parameters
    ----------
    rows : tuple of Accuracy
        One per scheme and time step, in the order they were asked for.
    n_spikes : int
        Number of spikes of the reference.
    seconds : float
        Wall time of the reference.
    duration : float, ms
        Model time of each run.
    scheme : str
        Of the reference: "exact", or that of the population where the exact engine cannot take it.
    dt : float, ms, or None
        Time step of the reference; None with "exact".

    Examples
    --------
    >>> from izhnumba import analysis
    >>> row = analysis.Accuracy("euler", 0.1, spikes=7, missed=1, spurious=0, max_error=0.91, median_error=0.4,
    ...                         seconds=1e-3)
    >>> analysis.AccuracyReport([row], n_spikes=8, seconds=2e-4, duration=1000.0)
    8 spikes in 1000 ms of continuous time, found in 0.2 ms of wall time
    scheme          dt (ms)  spikes  missed  spurious  max error (ms)  median (ms)  wall (ms)
    euler               0.1       7       1         0            0.91          0.4          1
    """

    def __init__(
        self, rows: Sequence[Accuracy], n_spikes: int, seconds: float, duration: float, scheme: str = "exact",
        dt: float | None = None,
    ) -> None:  # fmt: skip
        self.rows, self.n_spikes, self.seconds, self.duration = tuple(rows), n_spikes, seconds, duration
        self.scheme, self.dt = scheme, dt

    def __repr__(self) -> str:
        found = f"found in {1000 * self.seconds:.3g} ms of wall time"
        time = "continuous time" if self.dt is None else f"{self.scheme} in steps of {self.dt:g} ms"
        lines = [
            f"{counted(self.n_spikes, 'spike')} in {self.duration:g} ms of {time}, {found}",
            "scheme          dt (ms)  spikes  missed  spurious  max error (ms)  median (ms)  wall (ms)",
        ]
        lines += [
            f"{row.scheme:14} {row.dt:8.4g} {row.spikes:7d} {row.missed:7d} {row.spurious:9d} {row.max_error:15.2g} "
            f"{row.median_error:12.2g} {1000 * row.seconds:10.3g}"
            for row in self.rows
        ]
        return "\n".join(lines)

    def to_dataframe(self) -> pandas.DataFrame:
        """The rows as a pandas DataFrame, with the fields of `Accuracy` as columns.

        Raises
        ------
        ImportError
            Without pandas.
        """
        return optional("AccuracyReport.to_dataframe", "pandas").DataFrame(
            list(self.rows), columns=list(Accuracy._fields)
        )

    def plot(self, ax: Axes | None = None, *, against: str = "dt") -> Axes:
        """Draw the largest error against the time step or the wall time, a line per scheme.

        A mark is filled if all spikes are matched, and open if some are missed or spurious, the larger the more.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            By default that of a new figure.
        against : "dt" or "seconds"
            Horizontal axis: time step (ms) or wall time (s).

        Returns
        -------
        Axes

        Raises
        ------
        TypeError, ValueError
            For arguments of the wrong kind or name.
        ImportError
            Without matplotlib.

        Examples
        --------
        >>> from izhnumba import analysis
        >>> row = analysis.Accuracy("euler", 0.1, 7, 1, 0, 0.91, 0.4, 1e-3)
        >>> analysis.AccuracyReport([row], 8, 2e-4, 1000.0).plot().get_xlabel()
        'time step (ms)'
        """
        checks.one_of("AccuracyReport.plot.against", against, ("dt", "seconds"))
        ax = axes_for("AccuracyReport.plot.ax", ax)
        for scheme, color in zip(dict.fromkeys(row.scheme for row in self.rows), COLORS * 2, strict=False):
            rows = sorted((row for row in self.rows if row.scheme == scheme), key=lambda row: row.dt)
            x, y = [getattr(row, against) for row in rows], [row.max_error for row in rows]
            ax.plot(x, y, color=color, linewidth=1.0, label=scheme)
            for row, *place in zip(rows, x, y, strict=True):
                wrong = (row.missed + row.spurious) / max(1, self.n_spikes)
                face, size = ("white", 5 + 8 * min(wrong, 1.0)) if wrong else (color, 5)
                ax.plot(*place, "o", color=color, markerfacecolor=face, markersize=size)
        ax.plot([], [], "o", color="gray", markerfacecolor="white", label="missed or spurious spikes")
        ax.set(xscale="log", yscale="log")
        ax.legend(frameon=False, fontsize="small")
        return labelled(ax, {"dt": "time step (ms)", "seconds": "wall time (s)"}[against], "largest error (ms)")


def accuracy_report(
    pop: Population,
    I: ArrayLike | Input = 0.0,
    duration: float = 1000.0,
    *,
    schemes: Sequence[str] = ("exp_euler", "euler", "izhikevich2003", "rk4"),
    dts: Sequence[float] = (0.5, 0.1, 0.05, 0.01),
) -> AccuracyReport:
    """Run copies of a population by clock-driven schemes and exactly, and compare their spikes.

    The copies start as `pop.reset()` would leave them and get the same input; `pop` itself is not changed. Spikes are
    paired by `match_spikes`. Clock-driven schemes stamp a spike at the end of its step, so up to dt of an error is the
    stamp. Errors that grow during a run, and missed spikes at its end, come from a period that is slightly wrong.

    What the exact engine cannot take, such as the cells FS, TC and RTN of 2007, a V_min or an input of your own, is
    compared with the population's own scheme in float64 and in steps a tenth of the shortest of `dts`. The report says
    so (`.scheme`, `.dt`): its errors are right to about that step.

    Parameters
    ----------
    pop : Population
        Of any model, scheme and dtype.
    I : float, array that broadcasts to Shape, or input object, mV/ms (2007 form: pA)
        Input objects (`Pulses`, `Ramp`, ...) mean the same at every dt, noise does not. An array with one row per step
        does not: wrap it in a `TimedArray`.
    duration : float, ms, > 0
        A whole number of steps of each dt.
    schemes : sequence of str
        Names in `izhnumba.schemes`, clock-driven.
    dts : sequence of float, ms, > 0
        Time steps; each scheme runs with each of them.

    Returns
    -------
    AccuracyReport
        A scheme whose V stops being finite counts with the spikes it had until then.

    Raises
    ------
    TypeError, ValueError
        For values of the wrong kind or range, and for inputs that draw random numbers.

    Examples
    --------
    >>> import izhnumba as iz
    >>> from izhnumba import analysis
    >>> chattering = iz.Population(1, **iz.presets["CH"])
    >>> report = analysis.accuracy_report(chattering, 10.0, 500.0, schemes=["euler"], dts=[0.5, 0.01])
    >>> report.rows[0].missed > report.rows[1].missed
    True
    >>> relay = iz.Population(1, scheme="euler", **iz.presets["2007/TC"])
    >>> report = analysis.accuracy_report(relay, 100.0, 500.0, dts=[0.1])
    >>> report.scheme, report.dt
    ('euler', 0.01)
    """
    checks.kind("accuracy_report.pop", pop, Population, "a Population", "Write Population(1, **preset).")
    names = [_clock_driven("accuracy_report.schemes", name) for name in _listed("accuracy_report.schemes", schemes)]
    steps = [checks.number("accuracy_report.dts", dt, "ms", above=0.0) for dt in _listed("accuracy_report.dts", dts)]
    duration = checks.number("accuracy_report.duration", duration, "ms", above=0.0)
    for dt in steps:
        checks.steps("accuracy_report.duration", duration, dt, at_least=1)
    if not isinstance(I, Input) and np.ndim(I) > len(pop.shape):
        must = "accuracy_report.I must be constant, one value per neuron or an input object"
        raise ValueError(f"{must}, got an array of shape {np.shape(I)}. Wrap rows in a TimedArray.")
    _check_input(I)
    reference, rows = _reference(pop, I, duration, min(steps)), []
    for name in names:
        for dt in steps:
            with warnings.catch_warnings(action="ignore"):  # that dt is large is what the report is about
                cells, warm_up = _copy(pop, scheme=name, dt=dt), dt * min(10, round(duration / dt))
                spikes, wall = _timed(cells, I, duration, warm_up, (RuntimeError,))
            rows.append(_compared(name, dt, reference.trains, trains(spikes), wall))
    n_spikes = sum(map(len, reference.trains.values()))
    return AccuracyReport(rows, n_spikes, reference.seconds, duration, reference.scheme, reference.dt)


def _listed(where: str, values: object) -> list[Any]:
    """`values` as a list, if they are several."""
    if not np.iterable(values) or isinstance(values, str):
        checks.refuse(where, values, "a list", "Pass [x] for a single one.")
    return list(values)


def _clock_driven(where: str, name: object) -> str:
    """The name of a scheme other than "exact"."""
    if isinstance(name, str) and "/" in name and name in _known_schemes:  # with sub-steps
        return name
    return checks.one_of(where, name, [known for known in _known_schemes if known != "exact"])


def _check_input(I: object) -> None:
    """Refuse inputs that are no functions of time, but new random numbers in each step."""
    if isinstance(I, Input):
        try:
            I._values(np.zeros(1), 1.0)
        except TypeError:
            raise ValueError(
                f"accuracy_report.I must be the same function of time for every dt, got {checks.shown(I)}. Sample it: "
                "TimedArray(values, dt)."
            ) from None


def _reference(pop: Population, I: object, duration: float, shortest: float) -> _Reference:
    """The spikes that those of schemes are compared with: exact ones, or of much finer steps than the shortest."""
    warm_up = min(1.0, duration)
    with warnings.catch_warnings(action="ignore"):
        try:
            spikes, seconds = _timed(_exact_copy(pop), I, duration, warm_up)
        except ValueError:
            if pop.scheme.exact:
                raise
        else:
            n = math.prod(pop.size)
            exact = {divmod(neuron, n): train for (_, neuron), train in trains(spikes).items()}
            return _Reference(exact, seconds, "exact", None)
        dt = shortest / 10
        spikes, seconds = _timed(_copy(pop, dt=dt, dtype="float64"), I, duration, 10 * dt)
        return _Reference(trains(spikes), seconds, pop.scheme.name, dt)


def _exact_copy(pop: Population) -> Population:
    """A population of the scheme "exact" of the same neurons; those of a batch side by side."""
    arguments: dict[str, Any] = {
        name: np.broadcast_to(value, pop.shape) if isinstance(value, np.ndarray) and value.ndim else value
        for name, value in arguments_of(pop).items()
        if name != "positions"
    }
    return Population(**arguments | dict(size=pop.shape, batch=None, scheme="exact", dtype="float64"))


def _copy(pop: Population, **changed: object) -> Population:
    """A new population with the arguments and the initial state of `pop`, but for those changed."""
    return Population(**arguments_of(pop) | changed)


def _timed(
    cells: Population, I: object, duration: float, warm_up: float, ignored: tuple[type[Exception], ...] = ()
) -> tuple[Spikes, float]:
    """(spikes, wall time in s) of a run of `duration` ms, after one of `warm_up` ms that compiles. ignored: exceptions
    that may end a run early."""
    with contextlib.suppress(*ignored):
        cells.run(warm_up, I)
    cells.reset()
    begin = time.perf_counter()
    with contextlib.suppress(*ignored):
        cells.run(duration, I)
    return cells.result.spikes, time.perf_counter() - begin


def _compared(scheme: str, dt: float, expected: Trains, found: Trains, seconds: float) -> Accuracy:
    """A row of the report. expected, found: spike times of the reference, and those of the scheme."""
    none, errors = np.empty(0), [np.empty(0)]
    for cell in {**expected, **found}:
        reference, other = expected.get(cell, none), found.get(cell, none)
        i, j = match_spikes(reference, other)
        errors.append(np.abs(other[j] - reference[i]))
    error = np.concatenate(errors)
    n_expected, n_found = (sum(map(len, trains.values())) for trains in (expected, found))
    largest, median = (error.max(), np.median(error)) if error.size else (np.nan, np.nan)
    return Accuracy(
        scheme, dt, n_found, n_expected - error.size, n_found - error.size, float(largest), float(median), seconds
    )
