"""Population: the neurons a user holds in hand. It owns their state and parameters; an engine advances them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from izhnumba._base.sealed import assign
from izhnumba._clock.step import NUMBERS
from izhnumba._engine.codes import BUSY, FAILURE, LEAP, NOT_PLAIN, OK
from izhnumba._engine.progress import Progress
from izhnumba._engine.protocol import Inputs
from izhnumba._model.izhikevich import Izhikevich
from izhnumba._model.model import Model
from izhnumba._model.schemes import DEFAULT, scheme_named
from izhnumba._population import html
from izhnumba._population import parameters as of
from izhnumba._population import run as running
from izhnumba._population import saved as saving
from izhnumba._population.assembly import Assembly
from izhnumba._population.chosen import chosen_of
from izhnumba._population.make import make
from izhnumba._population.section import Section
from izhnumba._record.reductions import StateReduction
from izhnumba._record.results import Result

Array = NDArray[Any]
_ndarray, _NAN = np.ndarray, np.nan


class Population:
    """Neurons of one model, advanced together, by a fixed time step or with the scheme "exact" in continuous time.

    Parameters
    ----------
    size : int or tuple of int, >= 1
        Number of neurons, or the shape in which they are arranged.
    model : Model
        `izhnumba.Izhikevich`, `IzhikevichRef`, `IzhikevichAccommodation`, `Izhikevich2007`, `IzhikevichCalcium`,
        `TwoCompartments` or your own.
    scheme : str, default "exp_euler"
        How time advances, one of `izhnumba.schemes`.
    substeps : int, 1 to 100, optional
        V and u advance by dt / substeps, with the input held (euler, midpoint, heun, rk4: then called "euler/5").
    dt : float, ms, > 0, default 0.1
        Time step. With the scheme "exact" only the default of `step` and `every`.
    dtype : "float64" or "float32"
    batch : int, >= 1, optional
        Independent copies, as a leading axis of every array: Shape = (batch, *size).
    reset : "hard", "soft" or "overshoot"
        V after a spike: c, V - V_th or c + (V - V_th).
    seed : int, >= 0, optional
        Key of all random numbers. Without one a seed is drawn; it is kept in `seed`.
    threads : int, >= 1, optional
        Threads to use; without it, as many as pay. The result is the same for every number.
    name : str, optional
        Names the random streams: populations with the same seed and different names draw different numbers.
    V, u : float, array, distribution or callable(rng, shape)
        Initial state, by default the model's (for Izhikevich -65 mV and 0). `u="nullcline"` starts where du/dt = 0.
        Further states of a model are given by their names.
    positions : array (n, d), Positions, Grid or Box, optional
        Where the neurons are, for `Distance` and `ByDistance`; kept as `Positions`, or None, in `positions`.
    V_min : float or array, mV, default -inf
        Floor of V, applied after V jumps and before the spike test.
    tau_ref : float or array, ms, >= 0, default 0
        Absolute refractory period. A neuron is refractory for max(0, ceil(tau_ref / dt) - 1) steps after a spike: V
        and u stay, input is lost. Whole multiples of dt are recognised within a thousandth of a step. With the scheme
        "exact" it is refractory for tau_ref.
    **parameters : float, array of shape size or Shape, distribution or callable(rng, shape)
        Parameters of the model (see `model.parameters`), in its units: for Izhikevich a, b (1/ms), c, V_th (mV), d
        (mV/ms) and the coefficients k2, k1, k0.

        A distribution, `Uniform`, `Normal` or `LogNormal`, or a function, draws a number for each neuron, in a batch
        for each of its copies. What is drawn depends on seed, name of the population and name of the parameter alone;
        in a network, whose seed and names count, it is drawn anew. `reset` keeps it.

    Attributes
    ----------
    V, u, and further states of the model : ndarray of Shape
        Live: writing to them takes effect (plain numbers; `pop.V = x` takes quantities too). Reset-first
        schemes (exp_euler, izhikevich2003) store V of a spike as it is, beyond the threshold, until the next step.
    spikes : ndarray of bool, Shape
        Neurons that spiked in the last step; reused by the next one.
    t : float, ms
        Time simulated so far, steps * dt.
    last_spike_time : ndarray, ms
        End of the step of the last spike, or its exact time; -inf before the first.
    refractory : ndarray of bool
        Neurons that spiked in the last step or were refractory in it.

    Raises
    ------
    TypeError, ValueError
        For unknown names and for values of the wrong kind, shape, range or unit, before anything changes.

    Notes
    -----
    Step k leads from t = k dt to (k+1) dt. A spike of step k is labelled step k and t = (k+1) dt. Parameters may be
    changed between steps: `pop.a = 0.1`, or `pop.a = iz.Uniform(0.02, 0.1)`, which draws the same numbers each time.

    With the scheme "exact" there are no steps: spikes have a real time, and `spikes.step` is None. It takes float64
    without batch, V_min and noise, and models whose V' is a parabola in V; see docs/concepts/exact.md.

    References
    ----------
    E. M. Izhikevich 2003, doi:10.1109/TNN.2003.820440; the default scheme is that of brainpy.state.

    Examples
    --------
    >>> import izhnumba as iz
    >>> pop = iz.Population(3, a=0.02, b=0.2, c=-65.0, d=8.0, u=-13.0)
    >>> result = pop.run(100.0, I=[0.0, 5.0, 10.0], record=["V"], every=1.0)
    >>> result.spikes.i
    array([2, 1, 2, 2, 1])
    >>> result.V.shape
    (100, 3)
    >>> pop = iz.Population(3, d=iz.Normal(8.0, 1.0, low=0.0), V=iz.Uniform(-70.0, -60.0), seed=1)
    >>> pop.d.round(2)
    array([8.37, 7.59, 8.66])
    """

    def __init__(
        self, size: int | tuple[int, ...] = ...,  # type: ignore[assignment]  # without it: an error with words
        model: Model = Izhikevich, *, scheme: str | None = None, dt: object = None, dtype: DTypeLike = "float64",
        batch: int | None = None, reset: str = "hard", seed: int | None = None, threads: int | None = None,
        name: str | None = None, V: object = None, u: object = None, positions: object = None,
        substeps: object = None, **parameters: object,
    ) -> None:  # fmt: skip
        if substeps is not None:
            scheme = scheme_named("Population", DEFAULT if scheme is None else scheme, substeps).name
        make(self, size, model, scheme, dt, dtype, batch, reset, seed, threads, name, V, u, positions, parameters)

    def _set(self, /, **attributes: object) -> None:
        assign(self, **attributes)

    if TYPE_CHECKING:  # really there it would make every look at an attribute slower

        def __getattr__(self, name: str) -> Any: ...

    def __setattr__(self, name: str, value: object) -> None:
        of.set_attribute(self, name, value)

    _repr_html_ = html.of_population

    def __repr__(self) -> str:
        size = self.size[0] if len(self.size) == 1 else self.size
        batch = "" if self.batch is None else f", batch={self.batch}"
        return (
            f"Population({size}, model={self.model.name}, scheme={self.scheme.name!r}, dt={self.dt:g}, "
            f"dtype={self.dtype.name!r}{batch}, seed={self.seed})"
        )

    def __getstate__(self) -> dict[str, Any]:
        """For pickle and copy: what the population is made of and where it is; `result` stays behind."""
        self._must_not_run()
        return self._saved()

    def _saved(self) -> dict[str, Any]:
        return saving.description(self)

    def __setstate__(self, saved: dict[str, Any]) -> None:
        saving.renew(self, saved)

    def __getitem__(self, key: slice | ArrayLike) -> Section:
        """Chosen neurons for `Network.connect`, `drive` and `record`: `pop[:800]`, `pop[::5]`, `pop[[7, 3]]`, by flat
        index also of an n-d size, or `pop[mask]`. A ValueError for none, or one twice."""
        return Section(self, chosen_of(key, range(self.n), self.size))

    def __add__(self, other: Population | Section | Assembly) -> Assembly:
        """This population and another, or chosen neurons of one, for `Network.connect`, `drive` and `record`."""
        return self[:] + other

    _parts = property(lambda self: (self[:],))  # of an assembly

    # --- state ----------------------------------------------------------------------------------------------------

    @property
    def n_steps(self) -> int:
        """Steps done since the start or the last reset; the scheme 'exact' has none."""
        if self._kind.dense_output:
            raise AttributeError("Population.n_steps is not there with the scheme 'exact', which has no steps. Use t.")
        return int(self._engine.now)

    @property
    def t(self) -> float:
        """Time simulated so far, ms."""
        return self._engine.time.ms(self._engine.now)

    @property
    def last_spike_time(self) -> Array:
        """End of the step in which each neuron last spiked, ms; -inf before the first. Shape."""
        return self._engine.last_spike_time().reshape(self.shape)

    @property
    def refractory(self) -> Array:
        """Neurons that spiked in the last step or were refractory in it. bool, Shape."""
        return self._engine.refractory().reshape(self.shape)

    @property
    def result(self) -> Any:
        """The Result of the last run, also of one that was stopped; None before the first."""
        if self._run is not None and not self._turn.taken:
            self._end_run()
        return self._run and self._run.result(self._turn.taken)

    @property
    def network(self) -> Any:
        """The network that it is in, or None."""
        net = self._network
        return net if net is not None and net.populations.get(self.name) is self else None

    def _must_not_run(self) -> None:
        self._turn.must_be_free()
        if self.network is not None:
            cure = "Call step, run, reset and save of the Network."
            raise RuntimeError(f"Population {self.name!r} is in a network. {cure}")

    def _end_run(self) -> None:
        """Do what an interrupt has left undone: recorders take what is in the engine, and that takes parameters."""
        if self._run is not None:
            self._run.catch_up()
        if self._to_take:
            of.hand_over(self)

    # --- time -----------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Back to time 0 with the initial state; refractoriness and random numbers start again, parameters stay."""
        self._must_not_run()
        with self._turn:
            self._end_run()
            running.rewind(self)

    def step(
        self, I: ArrayLike = 0.0, *, delta: object = None, g: object = None, E: object = None,  # noqa: E741
        dt: object = None,
    ) -> Array:  # fmt: skip
        """Advance by one step.

        Parameters
        ----------
        I : float or array that broadcasts to Shape, mV/ms (pA for Izhikevich2007)
            Current during the step.
        delta : the same, mV
            V jumps of the step, added after V has been integrated and before the spike test.
        g, E : the same, 1/ms (nS) and mV, or lists of them
            Conductances and their reversal potentials: currents g (E - V), whose slope enters exponential Euler.
        dt : float, ms, > 0, default pop.dt
            With the scheme "exact" alone: how far to advance. The V jumps come at the end. I, g and E are constant.

        Returns
        -------
        ndarray of bool, Shape
            The neurons that spiked: a view reused by the next step.

        Raises
        ------
        TypeError, ValueError
            For input that is not finite, does not fit or comes in the wrong unit; nothing has changed then.
        RuntimeError
            If V or u is not finite after the step.

        Examples
        --------
        >>> import izhnumba as iz
        >>> pop = iz.Population(2)
        >>> while not pop.step([0.0, 10.0]).any():
        ...     pass
        >>> pop.spikes, round(pop.t, 1)
        (array([False,  True]), 43.3)
        """
        code = NOT_PLAIN
        if delta is g is E is dt is None:  # the short way, which takes about a microsecond
            if type(I) is _ndarray and I.dtype is self.dtype and I.shape == self.shape:
                code = self._call(self._form, I if I.ndim == 1 else I.reshape(-1), _NAN)
            elif type(I) in NUMBERS and abs(I) <= self._highest:  # type: ignore[arg-type]
                code = self._call(self._form, self._empty, I)
            elif (plain := self._stepper.plain(I)) is not None:
                code = self._call(self._form, plain, _NAN)
        elif dt is None:
            self._must_not_run()
            with self._turn:
                code = self._stepper.step(I, delta, g, E)
        if code == OK:
            return self.spikes
        if code not in (FAILURE, LEAP, BUSY):
            self._must_not_run()
            with self._turn:
                self._end_run()
                code = self._stepper.step_checked("Population.step", self, Inputs(I, delta, g, E), dt)
        running.report(self, {code})
        return self.spikes

    def _prepare_step(self, form: Array, I: Array, level: float) -> int:  # noqa: E741
        """Stands in for the compiled step until it is needed, and again after anything it relies on has changed."""
        self._must_not_run()
        with self._turn:
            self._end_run()
            call, form = self._stepper.call()
            self._set(_call=call, _form=form)
        return call(form, I, level)

    def _forget_call(self) -> None:
        self._set(_call=self._prepare_step)

    def run(
        self, T: object, I: object = 0.0, *, delta: object = None, g: object = None, E: object = None,  # noqa: E741
        record: str | Sequence[str] | StateReduction = (), every: object = None, neurons: ArrayLike | None = None,
        progress: bool | Progress = False,
    ) -> Result:  # fmt: skip
        """Advance by T and record.

        Parameters
        ----------
        T : float, ms, >= 0
            A whole number of steps (within a thousandth). With the scheme "exact" any time; the run ends on a grid of
            1e-9 ms, and does what falls later than its start and no later than its end.
        I : float, array or input object, mV/ms (pA for Izhikevich2007)
            What broadcasts to Shape is constant; an array of shape (steps, *Shape) has one row per step, one of shape
            (steps, 1) the same for all neurons. Where a constant of as many values as steps could mean rows, a warning
            says so. Input objects (`Noise`, `Sine`, `TimedArray`, ...) are evaluated at the start of each step. With
            the scheme "exact" they are followed in continuous time, and arrays over time are refused: take
            `TimedArray`.
        delta, g, E : the same, mV, 1/ms (nS), mV
            V jumps, and conductances with their reversal potentials, as in `step`. With the scheme "exact" `delta`
            takes `SpikeTrain` or `Poisson` only, whose jumps come at their own times.
        record : name of a state such as "V", several, or what one is reduced to, such as `izhnumba.Mean("V")`
        every : float, ms, a whole number of steps, default dt
            Time between samples; a sample of step k is the state after it and is taken if (k + 1) dt is a multiple.
            With the scheme "exact" any time from 1e-9 ms on; samples are taken at its multiples.
        neurons : int array, optional
            Flat indices of the neurons to record, default all.
        progress : bool or callable(done, total) in ms
            True: a line on standard error, in a file or pipe one each 10 s. Your own function is called about 40 times
            per second; it may set V, u and parameters.

        Returns
        -------
        Result
            With `.spikes`, and `.t`, `.V`, `.u` or `.values` of the samples. Ctrl-C ends the run after a whole slice
            (within 0.1 s): the state is good to go on from, and `pop.result` holds what was recorded.

        Raises
        ------
        TypeError, ValueError
            Before anything changes.
        RuntimeError
            If V or u stops being finite, or with the scheme "exact" a neuron fires without end; says when, where and
            what to do. `pop.result` then ends with that step (exact: with the slice before); the state may be up to 64
            steps on, and does not recover but by `reset` or new values (exact: by `reset`).

        Examples
        --------
        >>> import izhnumba as iz
        >>> pop = iz.Population(1, **iz.presets["RS"])
        >>> pop.run(100.0, I=10.0).spikes.t.round(1)
        array([ 3.2, 26.7, 71.7])
        >>> round(pop.t, 1)
        100.0
        >>> exact = iz.Population(1, scheme="exact", **iz.presets["RS"])
        >>> exact.run(100.0, I=10.0, delta=iz.SpikeTrain([0], [50.0], weight=120.0)).spikes.t.round(6)
        array([ 3.127055, 26.226025, 50.      ])
        """
        self._must_not_run()
        with self._turn:
            self._end_run()
            codes = running.run(self, T, Inputs(I, delta, g, E), record, every, neurons, progress)
        running.report(self, codes)
        return self.result

    def state_at(self, t: object) -> tuple[Array, Array]:
        """V and u at any times of the last run, by the scheme "exact".

        Parameters
        ----------
        t : float or array, ms
            From the start to the end of the last `run`.

        Returns
        -------
        V, u : ndarray of shape (*shape of t, *Shape)
            Read off the Taylor series of a second run, to rounding; the population itself does not move.

        Raises
        ------
        ValueError
            For times outside the last run, and for schemes that have values at their steps alone.

        Examples
        --------
        >>> import izhnumba as iz
        >>> pop = iz.Population(1, scheme="exact", **iz.presets["RS"])
        >>> spikes = pop.run(100.0, I=10.0).spikes.t
        >>> V, u = pop.state_at(spikes[:2] - 1e-6)
        >>> bool((V > 29.9).all())
        True
        """
        return running.state_at(self, t)

    def save(self, path: str | Path) -> None:
        """Write the population and where it is to one file, from which `Population.load` goes on to the last bit.

        Parameters
        ----------
        path : path
            An npz file, written as `Network.save` does: it appears complete or not at all. It holds the position of
            random numbers, and `result`. Inputs are arguments of `run`, and not in it.

        Raises
        ------
        TypeError, OSError
            As `Network.save`; an older file is as before then.
        RuntimeError
            In the course of a run; and in a network, which is saved as a whole.
        """
        saving.save(self, path)

    @classmethod
    def load(cls, path: str | Path, define: Sequence[Model | type] = ()) -> Population:
        """A population as it was when `save` wrote it, with its `result`; `state_at` knows the present alone.

        Parameters
        ----------
        path : path
        define : sequence of models
            Those of your own that it uses. Izhnumba's are known by name.

        Raises
        ------
        TypeError, ValueError, OSError
            As `izhnumba.load`, for a file that is not whole, or of which no population can be made.

        Examples
        --------
        >>> import tempfile, izhnumba as iz
        >>> pop, noise = iz.Population(10, seed=1, **iz.presets["RS"]), iz.Noise(std=20.0)
        >>> first = pop.run(50.0, noise)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     pop.save(f"{folder}/cells.npz")
        ...     again = iz.Population.load(f"{folder}/cells.npz")
        >>> bool((pop.run(50.0, noise, record="V").V == again.run(50.0, noise, record="V").V).all())
        True
        """
        return saving.load(cls, path, define)
