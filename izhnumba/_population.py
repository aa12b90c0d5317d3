"""Population: the neurons a user holds in hand. It checks what it is given and lets the engine do the work."""

from __future__ import annotations

import math
import secrets
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from izhnumba import _checks
from izhnumba._binding import snapped, stream_key
from izhnumba._clock_engine import ClockEngine
from izhnumba._derived import u_nullcline
from izhnumba._feeds import feeds
from izhnumba._kernels.codes import FAILURE, LEAP, NOT_PLAIN, OK
from izhnumba._models import Izhikevich, Model
from izhnumba._recorders import Result, SpikeRecorder, StateRecorder
from izhnumba._running import Progress, ProgressBar, progress_shown, run_slices
from izhnumba._schemes import schemes
from izhnumba._stepping import NUMBERS, Stepper

Array = NDArray[Any]
_ndarray = np.ndarray
_EXTRAS = {"V_min": ("mV", -math.inf), "tau_ref": ("ms", 0.0)}  # what every model has besides its parameters
_MOST_HELD = 2**29  # steps
_ARGUMENTS = ("model", "scheme", "dt", "dtype", "batch", "reset", "seed", "threads", "name", "V", "u")


class Population:
    """Neurons of one model, advanced together by a fixed time step.

    Parameters
    ----------
    size : int or tuple of int, >= 1
        Number of neurons, or the shape in which they are arranged.
    model : Model
        `izhnumba.Izhikevich`, `IzhikevichRef`, `IzhikevichAccommodation`, `Izhikevich2007` or your own.
    scheme : str, default "exp_euler"
        How time advances, one of `izhnumba.schemes`.
    dt : float, ms, > 0, default 0.1
        Time step.
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
        stay, input is lost. Whole multiples of dt are recognised within a thousandth of a step.
    **parameters : float or array of shape size or Shape
        Parameters of the model (see `model.parameters`), in its units: for Izhikevich a, b (1/ms), c, V_th (mV), d
        (mV/ms) and the coefficients k2, k1, k0.

    Attributes
    ----------
    V, u : ndarray of Shape
        The state. Live: writing to them takes effect. Reset-first schemes (exp_euler, izhikevich2003) store V of a
        spike as it is, beyond the threshold, until the next step.
    spikes : ndarray of bool, Shape
        Neurons that spiked in the last step; reused by the next one.
    t : float, ms
        Time simulated so far, steps * dt.
    last_spike_time : ndarray, ms
        End of the step of the last spike, -inf before the first.
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
    """

    def __init__(
        self,
        size: int | tuple[int, ...],
        model: Model = Izhikevich,
        *,
        scheme: str | None = None,
        dt: Any = None,
        dtype: DTypeLike = "float64",
        batch: int | None = None,
        reset: str = "hard",
        seed: int | None = None,
        threads: int | None = None,
        name: str | None = None,
        V: Any = None,
        u: Any = None,
        **parameters: Any,
    ) -> None:
        _checks.kind("Population.model", model, Model, "an izhnumba.Model", "Use izhnumba.Izhikevich.")
        known = (*model.parameters, *_EXTRAS)
        for parameter in parameters:
            if parameter not in known:
                _checks.unknown("Population", parameter, (*known, *_ARGUMENTS))
        n_size = _checks.size("Population.size", size)
        n_batch = None if batch is None else _checks.integer("Population.batch", batch, at_least=1)
        scheme = _checks.one_of("Population.scheme", "exp_euler" if scheme is None else scheme, schemes)
        self._set(
            model=model,
            size=n_size,
            batch=n_batch,
            shape=n_size if n_batch is None else _checks.size("Population.batch", (n_batch, *n_size)),
            scheme=schemes[scheme],
            dt=_checks.number("Population.dt", 0.1 if dt is None else dt, "ms", above=0.0),
            dtype=_checks.dtype("Population.dtype", dtype),
            reset_kind=_checks.one_of("Population.reset", reset, ("hard", "soft", "overshoot")),
            seed=secrets.randbits(32) if seed is None else _checks.integer("Population.seed", seed, at_least=0),
            threads=None if threads is None else _checks.integer("Population.threads", threads, at_least=1),
            name="population" if name is None else _checks.kind("Population.name", name, str, "a str"),
            result=None,
            _warned=False,
            _running=False,
            _memory={},
            _values={},
        )
        self._set(n=math.prod(self.shape), _highest=float(np.finfo(self.dtype).max))
        _checks.fits("Population.size", self.n * (3 * self.dtype.itemsize + 10), "Use fewer neurons or dtype float32.")
        self._set(_engine=ClockEngine(model, self.scheme, self.dtype, self.reset_kind, self.n, self.dt))
        engine = self._engine
        self._set(
            V=engine.V[: self.n].reshape(self.shape),
            u=engine.u[: self.n].reshape(self.shape),
            spikes=engine.spikes[: self.n].view(np.bool_).reshape(self.shape),
            _table=engine.table,
            _current=engine.row("I"),
            _stepper=Stepper(engine, self.shape, self.threads),
        )
        for parameter in known:
            default = _EXTRAS[parameter][1] if parameter in _EXTRAS else model.parameters[parameter].default
            self._set_parameter(parameter, parameters.get(parameter, default))
        self._set_start(V, u)
        if self.dt > self.scheme.dt_max:
            warnings.warn(
                f"Population.dt = {self.dt:g} ms is too large for the scheme {scheme!r}: spikes are lost and V "
                f"overshoots. Use dt <= {self.scheme.dt_max:g} ms.",
                stacklevel=2,
            )

    def _set(self, **attributes: Any) -> None:
        vars(self).update(attributes)

    if TYPE_CHECKING:  # really there it would make every look at an attribute slower

        def __getattr__(self, name: str) -> Any: ...

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._values:
            self._set_parameter(name, value)
        elif name in ("V", "u"):
            vars(self)[name][...] = self._checked_state(name, value)
        elif hasattr(self, name):
            raise AttributeError(f"Population.{name} cannot be changed. Make a new population.")
        else:
            _checks.unknown("Population", name, (*self._values, "V", "u"))

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
        names = ("size", "model", "dt", "dtype", "batch", "seed", "threads", "name")
        arguments = {name: getattr(self, name) for name in names} | self._values
        arguments |= dict(scheme=self.scheme.name, reset=self.reset_kind, V=self._start[0], u=self._start[1])
        return {"arguments": arguments, "state": self._engine.state(), "memory": self._memory.copy()}

    def __setstate__(self, saved: dict[str, Any]) -> None:
        with warnings.catch_warnings(action="ignore"):  # that dt is too large has been said
            self.__init__(**saved["arguments"])  # type: ignore[misc]
        self._engine.restore(saved["state"])
        self._memory.update(saved["memory"])

    # --- parameters and start -------------------------------------------------------------------------------------

    def _set_parameter(self, name: str, value: Any) -> None:
        unit, default = _EXTRAS[name] if name in _EXTRAS else (
            self.model.parameters[name].unit, self.model.parameters[name].default)  # fmt: skip
        where = f"Population.{name}"
        low = 0.0 if name == "tau_ref" else None
        exact = _checks.array(where, value, unit, (self.size, self.shape), finite=math.isfinite(default), at_least=low)
        _checks.finite(where, np.where(exact == default, 0.0, exact), self.dtype)  # the default may be infinite
        lanes = exact if exact.ndim == 0 else np.broadcast_to(exact, self.shape).ravel()
        if name == "tau_ref":
            if np.any(lanes > _MOST_HELD * self.dt):
                raise ValueError(f"{where} must be at most {_MOST_HELD * self.dt:g} ms, got {np.max(lanes):g}.")
            n_held = np.ceil(snapped(lanes / self.dt)) - 1
            self._engine.set_refractory(np.maximum(n_held, 0).astype(np.int32))
        else:
            self._engine.set_parameter(name, lanes)
        values = np.array(exact, self.dtype)
        values.flags.writeable = False
        self._values[name] = values
        self._set(**{name: values})
        self._forget_calls()

    def _checked_state(self, name: str, value: Any) -> Array:
        where, unit = f"Population.{name}", getattr(self.model, name).unit
        exact = _checks.array(where, value, unit, (self.size, self.shape))
        _checks.finite(where, exact, self.dtype)
        return exact.astype(self.dtype)

    def _set_start(self, V: Any, u: Any) -> None:
        for name, value in (("V", V), ("u", u)):
            if value is None:
                value = getattr(self.model, name).default
            if isinstance(value, str) and name == "u":
                _checks.one_of("Population.u", value, ("nullcline",))
                values = (np.asarray(self._values[parameter], float) for parameter in self.model.parameters)
                value = u_nullcline(self.model, np.asarray(self.V, float), self.model.named_tuple()(*values))
            elif callable(value):
                key = np.array(stream_key(self.seed, self.name, name, 0), np.uint64)
                value = value(np.random.Generator(np.random.Philox(key=key)), self.shape)
            vars(self)[name][...] = self._checked_state(name, value)
        self._set(_start=(self.V.copy(), self.u.copy()))

    # --- time -----------------------------------------------------------------------------------------------------

    @property
    def n_steps(self) -> int:
        """Steps done since the start or the last reset."""
        return self._engine.step

    @property
    def t(self) -> float:
        """Time simulated so far, ms."""
        return self.n_steps * self.dt

    @property
    def last_spike_time(self) -> Array:
        """End of the step in which each neuron last spiked, ms; -inf before the first. Shape."""
        last = self._engine.last[: self.n]
        return np.where(last >= 0, (last + 1) * self.dt, -np.inf).reshape(self.shape)

    @property
    def refractory(self) -> Array:
        """Neurons that spiked in the last step or were held in it. bool, Shape."""
        return self._engine.held().reshape(self.shape)

    def reset(self) -> None:
        """Back to step 0 with the initial V and u; refractoriness and random numbers start again, parameters stay."""
        self._must_not_run()
        self.V[...], self.u[...] = self._start
        self._engine.rewind()
        self._memory.clear()

    def step(self, I: ArrayLike = 0.0, *, delta: Any = None, g: Any = None, E: Any = None) -> Array:  # noqa: E741
        """Advance by one step.

        Parameters
        ----------
        I : float or array that broadcasts to Shape, mV/ms (pA for Izhikevich2007)
            Current during the step.
        delta : the same, mV
            V jumps of the step, added after V has been integrated and before the spike test.
        g, E : the same, 1/ms (nS) and mV, or lists of them
            Conductances and their reversal potentials: currents g (E - V), whose slope enters exponential Euler.

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
        if delta is g is E is None:  # the short way, which takes less than a microsecond
            if type(I) is _ndarray and I.dtype is self.dtype and I.shape == self.shape:
                code = self._call(self._table, I if I.ndim == 1 else I.reshape(-1))
            elif type(I) in NUMBERS and abs(I) <= self._highest:  # type: ignore[arg-type]
                self._current.fill(I)
                code = self._call(self._table, self._engine.empty)
        else:
            self._must_not_run()
            code = self._stepper.step(I, delta, g, E)
        if code == OK:
            return self.spikes
        self._complain({code if code in (FAILURE, LEAP) else self._step_carefully(I, delta, g, E)})
        return self.spikes

    def _step_carefully(self, I: Any, delta: Any, g: Any, E: Any) -> int:  # noqa: E741
        """A step with inputs in any form, or the error that they deserve."""
        self._must_not_run()
        inputs = feeds("Population.step", self, I, delta, g, E, None)
        self._forget_calls()
        rows = {name: feed.rows(self.n_steps, 1) for name, feed in inputs.items()}
        return self._engine.advance(1, rows, self._engine.threads_for(1, 1, self.threads))

    def _prepare_step(self, table: Array, I: Array) -> int:  # noqa: E741
        """Stands in for the compiled step until it is needed, and again after anything it relies on has changed."""
        self._must_not_run()
        self._set(_call=self._stepper.call("I"))
        return self._call(table, I)

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
            A whole number of steps (within a thousandth).
        I : float, array or input object, mV/ms (pA for Izhikevich2007)
            What broadcasts to Shape is constant; an array of shape (steps, *Shape) has one row per step; input objects
            (`Noise`, `Sine`, `TimedArray`, ...) are evaluated at the start of each step.
        delta, g, E : the same, mV, 1/ms (nS), mV
            V jumps, and conductances with their reversal potentials, as in `step`.
        record : "V", "u" or both
        every : float, ms, a whole number of steps, default dt
            Time between samples; a sample of step k is the state after it and is taken if (k + 1) dt is a multiple.
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
            If V or u stops being finite; says when, where and what to do.

        Examples
        --------
        >>> import izhnumba as iz
        >>> pop = iz.Population(1, **iz.presets["RS"])
        >>> pop.run(100.0, I=10.0).spikes.t.round(1)
        array([ 3.2, 26.7, 71.7])
        >>> round(pop.t, 1)
        100.0
        """
        self._must_not_run()
        n_steps = _checks.steps("Population.run.T", T, self.dt)
        show = progress_shown("Population.run.progress", progress)
        states = StateRecorder(self._engine, n_steps, self.batch, record, every, neurons)
        spikes = SpikeRecorder(self._engine)
        inputs = feeds("Population.run", self, I, delta, g, E, n_steps)
        self._forget_calls()
        self._set(_running=True)
        try:
            codes = run_slices(self._engine, n_steps, inputs, spikes, states, self.threads, show)
        finally:
            self._set(_running=False)
            if isinstance(show, ProgressBar):
                show.close()
            self._set(result=Result(self.model, spikes.result(math.prod(self.size), self.batch), states))
        self._complain(codes)
        return self.result

    def _must_not_run(self) -> None:
        if self._running:
            raise RuntimeError("Population.run has not ended: until then only V, u and parameters may be set.")

    def _complain(self, codes: set[int]) -> None:
        """Put in words what the engine returned."""
        if FAILURE in codes:
            step, count, first, name = self._engine.failure()
            raise RuntimeError(
                f"{name} became non-finite in {count} of {self.n} neurons at t = {(step + 1) * self.dt:.6g} ms, first "
                f"neuron {first}. Use a smaller dt than {self.dt:g} ms or a weaker input; reset() starts again."
            )
        if LEAP in codes and not self._warned:
            self._set(_warned=True)
            warnings.warn(
                f"Population.V fell below {self._engine.leap_V():.4g} mV: from there a step of {self.scheme.name!r} "
                f"leaps over the threshold. Use a smaller dt than {self.dt:g} ms, a V_min or the scheme 'exp_euler'.",
                stacklevel=3,
            )
