"""Population: the neurons a user holds in hand. It checks what it is given and lets the engine do the work."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from izhnumba._base import checks
from izhnumba._base.sealed import shown_as
from izhnumba._clock.inputs import RowFeeds, feeds
from izhnumba._clock.step import NUMBERS, converts
from izhnumba._engine.codes import BAD_INPUT, BUSY, FAILURE, LEAP, NOT_PLAIN, OK
from izhnumba._engine.protocol import Feeds
from izhnumba._engine.run_loop import Progress, ProgressBar, progress_shown, run_slices
from izhnumba._exact.inputs import population_feeds
from izhnumba._exact.inputs import step as exact_step
from izhnumba._population.neurons import Neurons
from izhnumba._population.section import Section
from izhnumba._record.recorder import SpikeRecorder
from izhnumba._record.results import Result
from izhnumba._record.samples import StateRecorder, state_names

Array = NDArray[Any]
_ndarray, _NAN = np.ndarray, np.nan


class Population(Neurons):
    """Neurons of one model, advanced together, by a fixed time step or with the scheme "exact" in continuous time.

    Parameters
    ----------
    size : int or tuple of int, >= 1
        Number of neurons, or the shape in which they are arranged.
    model : Model
        `izhnumba.Izhikevich`, `IzhikevichRef`, `IzhikevichAccommodation`, `Izhikevich2007` or your own.
    scheme : str, default "exp_euler"
        How time advances, one of `izhnumba.schemes`.
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
    V, u : float, array or callable(rng, shape)
        Initial state, by default the model's (for Izhikevich -65 mV and 0). `u="nullcline"` starts where du/dt = 0.
    V_min : float or array, mV, default -inf
        Floor of V, applied after V jumps and before the spike test.
    tau_ref : float or array, ms, >= 0, default 0
        Absolute refractory period. A neuron is held for max(0, ceil(tau_ref / dt) - 1) steps after a spike: V and u
        stay, input is lost. Whole multiples of dt are recognised within a thousandth of a step. With the scheme "exact"
        it is held for tau_ref.
    **parameters : float or array of shape size or Shape
        Parameters of the model (see `model.parameters`), in its units: for Izhikevich a, b (1/ms), c, V_th (mV), d
        (mV/ms) and the coefficients k2, k1, k0.

    Attributes
    ----------
    V, u : ndarray of Shape
        The state. Live: writing to them takes effect (plain numbers; `pop.V = x` takes quantities too). Reset-first
        schemes (exp_euler, izhikevich2003) store V of a spike as it is, beyond the threshold, until the next step.
    spikes : ndarray of bool, Shape
        Neurons that spiked in the last step; reused by the next one.
    t : float, ms
        Time simulated so far, steps * dt.
    last_spike_time : ndarray, ms
        End of the step of the last spike, or its exact time; -inf before the first.
    refractory : ndarray of bool
        Neurons that spiked in the last step or were held in it.

    Raises
    ------
    TypeError, ValueError
        For unknown names and for values of the wrong kind, shape, range or unit, before anything changes.

    Notes
    -----
    Step k leads from t = k dt to (k+1) dt. A spike of step k is labelled step k and t = (k+1) dt. Parameters may be
    changed between steps: `pop.a = 0.1`.

    With the scheme "exact" there are no steps: spikes have a real time, and `spikes.step` is None. It takes float64
    without batch, V_min and noise, and models whose V' is a parabola in V; see docs/exact.md.

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
    >>> exact = iz.Population(3, scheme="exact", u=-13.0)
    >>> exact.run(100.0, I=[0.0, 5.0, 10.0]).spikes
    <5 spikes of 2 neurons, 3.12706 to 95.3481 ms>
    """

    def __getitem__(self, key: slice) -> Section:
        """Neurons `start` to `stop`, by flat index, for `Network.connect`, `drive` and `record`: `pop[:800]`. It is
        flat, also of an n-d size. ValueError for slices without a neuron and for steps other than 1."""
        checks.kind("Population[...]", key, slice, "a slice such as pop[:800]")
        try:
            start, stop, stride = key.indices(self.n)
        except (TypeError, ValueError) as error:  # of indices that are no whole numbers, and of step 0
            raise type(error)(f"Population[...] must be a slice of whole numbers, got {key}.") from None
        if stride != 1 or start >= stop:
            raise ValueError(f"Population[...] must be a slice of at least one of {self.n} neurons, step 1, got {key}.")
        return Section(self, start, stop)

    # --- time -----------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Back to time 0 with the initial V and u; refractoriness and random numbers start again, parameters stay."""
        self._must_not_run()
        with self._turn:
            self._end_run()
            self._rewind()

    def step(
        self,
        I: ArrayLike = 0.0,  # noqa: E741
        *,
        delta: Any = None,
        g: Any = None,
        E: Any = None,
        dt: Any = None,
    ) -> Array:
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
        if delta is g is E is dt is None:  # the short way, which takes less than a microsecond
            if type(I) is _ndarray and I.dtype is self.dtype and I.shape == self.shape:
                code = self._call(self._table, I if I.ndim == 1 else I.reshape(-1), _NAN)
            elif type(I) in NUMBERS and abs(I) <= self._highest:  # type: ignore[arg-type]
                code = self._call(self._table, self._empty, I)
            elif type(I) is _ndarray and I.shape == self.shape and converts(I.dtype, self.dtype):
                code = self._call(self._table, I.astype(self.dtype, "C").reshape(-1), _NAN)
        elif dt is None and not self.scheme.exact:
            self._must_not_run()
            with self._turn:
                code = self._stepper.step(I, delta, g, E)
        if code == OK:
            return self.spikes
        self._complain({code if code in (FAILURE, LEAP, BUSY) else self._step_carefully(I, delta, g, E, dt)})
        return self.spikes

    def _step_carefully(self, I: Any, delta: Any, g: Any, E: Any, dt: Any) -> int:  # noqa: E741
        """A step with inputs in any form, or the error that they deserve."""
        self._must_not_run()
        with self._turn:
            self._end_run()
            if self.scheme.exact:
                return exact_step(self, I, delta, g, E, dt)
            if dt is not None:
                scheme = self.scheme.name
                raise ValueError(f"Population.step.dt must be left out with the scheme {scheme!r}, got {dt!r}.")
            inputs = feeds("Population.step", self, I, delta, g, E, None)
            self._stepper.fill({name: feed.rows(self.n_steps, 1) for name, feed in inputs.items()})
            code = self._stepper.step_of_rows(*inputs)
            if code == NOT_PLAIN:  # steps must be counted anew
                self._forget_calls()
                code = self._stepper.step_of_rows(*inputs)
        if code == BAD_INPUT:  # each one is finite
            raise ValueError(
                f"Population.step.g must be finite in {self.dtype} when summed and when multiplied by E. Use smaller "
                "ones."
            )
        return code

    def _prepare_step(self, table: Array, I: Array, level: float) -> int:  # noqa: E741
        """Stands in for the compiled step until it is needed, and again after anything it relies on has changed."""
        self._must_not_run()
        if self.scheme.exact:
            return NOT_PLAIN
        with self._turn:
            self._end_run()
            call = self._stepper.call("I")
            self._set(_call=call)
        return call(table, I, level)

    def _forget_calls(self) -> None:
        self._stepper.forget()
        self._set(_call=self._prepare_step)

    def run(
        self,
        T: Any,
        I: Any = 0.0,  # noqa: E741
        *,
        delta: Any = None,
        g: Any = None,
        E: Any = None,
        record: str | Sequence[str] = (),
        every: Any = None,
        neurons: ArrayLike | None = None,
        progress: bool | Progress = False,
    ) -> Result:
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
        record : "V", "u" or both
        every : float, ms, a whole number of steps, default dt
            Time between samples; a sample of step k is the state after it and is taken if (k + 1) dt is a multiple.
            With the scheme "exact" any time from 1e-9 ms on; samples are taken at its multiples.
        neurons : int array, optional
            Flat indices of the neurons to record, default all.
        progress : bool or callable(done, total) in ms
            A line on standard error, or your own function, called about 40 times per second; it may set V, u and
            parameters.

        Returns
        -------
        Result
            With `.spikes`, and `.t`, `.V`, `.u` of the samples. Ctrl-C ends the run after a whole slice (within 0.1 s):
            the state is good to go on from, and `pop.result` holds what was recorded.

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
            engine = self._engine
            stop = engine.time.after("Population.run.T", engine.now, T)
            show = progress_shown("Population.run.progress", progress)
            sources = {name: getattr(engine, name) for name in state_names("Population.run.record", record)}
            for option, value in {"every": every, "neurons": neurons}.items():
                if value is not None and not sources:
                    where = f"Population.run.{option}"
                    raise ValueError(f"{where} must come with record, got {value!r:.60} alone. Pass record=['V'].")
            states = StateRecorder("Population.run", engine, "states", self.batch, sources, every, neurons)
            spikes = SpikeRecorder(engine, "spikes", self.batch)
            inputs = self._inputs(stop, I, delta, g, E)
            before = (self.t, self._saved(), (I, delta, g, E)) if self.scheme.exact else None
            for recorder in (states, spikes):
                recorder.start_run(stop)
            self._forget_calls()
            self._set(_last_run=before, _recorders=(states, spikes), _result=None)
            try:
                codes = run_slices(engine, stop, inputs, self._recorders, self.threads, show)
            finally:
                if isinstance(show, ProgressBar):
                    show.close()
        self._complain(codes)
        return self.result

    def _end_run(self) -> None:
        """Do what an interrupt has left undone: recorders take what is in the engine, and that takes parameters."""
        for recorder in self._recorders:
            recorder.catch_up()
        self._hand_over()

    @property
    def result(self) -> Any:
        """The Result of the last run, also of one that was stopped; None before the first."""
        if self._result is not None or not self._recorders:
            return self._result
        states, spikes = self._recorders
        if self._turn.taken:  # in the course of a run
            return Result(self.model, spikes.spikes, states.samples)
        self._end_run()
        self._set(_result=Result(self.model, spikes.spikes, states.samples))
        return self._result

    def state_at(self, t: Any) -> tuple[Array, Array]:
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
        self._must_not_run()
        times = checks.array(
            "Population.state_at.t", t, "ms", [np.shape(checks.magnitude("Population.state_at.t", t, "ms"))]
        )
        if not self.scheme.exact:
            raise ValueError(
                f"Population.state_at must have the scheme 'exact', got {self.scheme.name!r}. Record V in run instead."
            )
        start, saved, given = self._last_run or (self.t, None, ())
        if times.size and not start <= times.min() <= times.max() <= self.t:
            raise ValueError(
                f"Population.state_at.t must be between {start:g} and {self.t:g} ms, the last run, got "
                f"{times.min() if times.min() < start else times.max():g}."
            )
        rows: tuple[int, ...] = (times.size, *self.shape)
        V, u = np.empty(rows), np.empty(rows)
        twin = Population.__new__(Population)
        twin.__setstate__(saved or self._saved())
        for k in np.argsort(times, axis=None):
            when = times.ravel()[k]
            if when > twin.t:
                inputs = twin._inputs(when, *given)
                run_slices(twin._engine, when, inputs, [], 1, None)
            V[k], u[k] = twin.V, twin.u
        return V.reshape(*times.shape, *self.shape), u.reshape(*times.shape, *self.shape)

    def _inputs(self, stop: Any, I: Any, delta: Any, g: Any, E: Any) -> Feeds:  # noqa: E741
        """What comes in from outside in a run."""
        if self.scheme.exact:
            return population_feeds("Population.run", self, I, delta, g, E)
        rows = feeds("Population.run", self, I, delta, g, E, stop - self.n_steps)
        return RowFeeds(rows, self.n, self.dtype.itemsize)

    def _complain(self, codes: set[int], stacklevel: int = 3) -> None:
        """Put in words what the engine returned."""
        if BUSY in codes:
            raise RuntimeError(self._turn.elsewhere)
        whose = "" if self.network is None else f"{self.name}: "
        if FAILURE in codes and self.scheme.exact:
            when, neuron = self._engine.failure()
            raise RuntimeError(
                f"{whose}neuron {neuron} runs away at t = {when:.6g} ms: it fires without end, takes ever smaller "
                "steps, or V or u is not finite. There is no solution beyond: use other parameters or input. reset() "
                "starts again."
            )
        if FAILURE in codes:
            step, count, first, name = self._engine.failure()
            raise RuntimeError(
                f"{whose}{name} became non-finite in {count} of {self.n} neurons at t = {(step + 1) * self.dt:.6g} ms, "
                f"first neuron {first}. Use a smaller dt than {self.dt:g} ms or a weaker input; reset() starts again."
            )
        if LEAP in codes and not self._warned:
            self._set(_warned=True)
            warnings.warn(
                f"Population.V fell below {self._engine.leap_V():.4g} mV: from there a step of {self.scheme.name!r} "
                f"leaps over the threshold. Use a smaller dt than {self.dt:g} ms, a V_min or the scheme 'exp_euler'.",
                stacklevel=stacklevel,
            )


shown_as(Population, Neurons)
