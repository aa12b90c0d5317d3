"""Neurons: the parameters and the state of a population, and how they start."""

from __future__ import annotations

import math
import secrets
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from izhnumba._base import checks
from izhnumba._base.implausible import users_level, warn_of_base_unit
from izhnumba._base.random import stream_key
from izhnumba._base.turns import Turn
from izhnumba._clock.engine import ClockEngine
from izhnumba._clock.step import Stepper
from izhnumba._engine.timebase import SHORTEST_STEP
from izhnumba._exact.engine import ExactEngine
from izhnumba._model.izhikevich import Izhikevich
from izhnumba._model.model import Model, u_nullcline
from izhnumba._model.quantity import Quantity
from izhnumba._model.schemes import schemes

Array = NDArray[Any]
_EXTRAS = {  # what every model has besides its parameters
    "V_min": Quantity(-math.inf, "mV", "floor of V"),
    "tau_ref": Quantity(0.0, "ms", "refractory period", at_least=0.0),
}
_PRESET = "For a preset write Population(n, **izhnumba.presets[name])."
HABITS = {  # of other simulators and of papers
    "preset": _PRESET,
    **dict.fromkeys(("i", "i_e", "i_ext", "current"), "Give the current to run or step."),
    **dict.fromkeys(("n", "num", "neurons"), "size"),
    **dict.fromkeys(("method", "integrator", "solver"), "scheme"),
    **dict.fromkeys(("threshold", "v_threshold", "vt", "v_peak", "vpeak"), "V_th"),
    **dict.fromkeys(("refractory", "t_ref", "refractory_period"), "tau_ref"),
    **dict.fromkeys(("reset_value", "v_reset", "vreset"), "c"),
    **dict.fromkeys(("v0", "v_init", "v_m", "vm"), "V"),
    **dict.fromkeys(("u0", "u_init", "u_m"), "u"),
}
_ARGUMENTS = ("model", "scheme", "dt", "dtype", "batch", "reset", "seed", "threads", "name", "V", "u")
OF_POPULATIONS = {*_EXTRAS, *_ARGUMENTS}  # what may be given besides the parameters of a model


class Neurons:
    """What a population is made of, apart from how it advances. Its arguments are those of `Population`."""

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
        cure = f"Use izhnumba.Izhikevich.{' ' + _PRESET if isinstance(model, (str, Mapping)) else ''}"
        checks.kind("Population.model", model, Model, "an izhnumba.Model", cure)
        known = (*model.parameters, *_EXTRAS)
        for parameter in parameters:
            if parameter not in known:
                checks.unknown("Population", parameter, (*known, "size", *_ARGUMENTS), HABITS)
        n_size = checks.size("Population.size", size)
        n_batch = None if batch is None else checks.integer("Population.batch", batch, at_least=1)
        scheme_name = checks.one_of("Population.scheme", "exp_euler" if scheme is None else scheme, schemes)
        self._set(
            model=model,
            size=n_size,
            batch=n_batch,
            shape=n_size if n_batch is None else checks.size("Population.batch", (n_batch, *n_size)),
            scheme=schemes[scheme_name],
            dt=checks.number("Population.dt", 0.1 if dt is None else dt, "ms", at_least=SHORTEST_STEP),
            dtype=checks.dtype("Population.dtype", dtype),
            reset_kind=checks.one_of("Population.reset", reset, ("hard", "soft", "overshoot")),
            seed=secrets.randbits(32) if seed is None else checks.integer("Population.seed", seed, at_least=0),
            threads=None if threads is None else checks.integer("Population.threads", threads, at_least=1),
            name="population" if name is None else checks.kind("Population.name", name, str, "a str"),
            _network=None,
            _given=dict(dt=dt, scheme=scheme, seed=seed, threads=threads, name=name),
            _turn=Turn("Population", "Population.run has not ended: until then only V, u and parameters may be set."),
            _warned=False,
            _last_run=None,
            _recorders=(),
            _result=None,
            _memory={},
            _values={},
            _to_take={},
        )
        self._set(n=math.prod(self.shape), _highest=float(np.finfo(self.dtype).max))
        whose = "Population.size" if batch is None else "Population.batch"
        checks.fits(whose, self.n * (3 * self.dtype.itemsize + 10), "Use fewer neurons or dtype float32.")
        engine = ClockEngine(model, self.scheme, self.dtype, self.reset_kind, self.n, self.dt)
        self._set(
            _engine=engine,
            V=engine.V[: self.n].reshape(self.shape),
            u=engine.u[: self.n].reshape(self.shape),
            spikes=engine.spikes[: self.n].view(np.bool_).reshape(self.shape),
            _table=engine.table.numbers,
            _empty=engine.empty,
            _stepper=Stepper(engine, self.shape, self.threads),
        )
        for parameter in known:
            default = (_EXTRAS.get(parameter) or model.parameters[parameter]).default
            self._set_parameter(parameter, parameters.get(parameter, default))
        if self.scheme.exact:
            exact = self._exact_engine(self.dt)
            self._set(_engine=exact, _table=exact.table.numbers)
        self._set_start(V, u)
        self.scheme.warn_of("Population.dt", self.dt, stacklevel=2)
        self._warn_of_reset()
        for parameter in parameters:  # resting potentials, resets and capacitances: others may have any value
            unit = model.parameters[parameter].unit if parameter in ("C", "c", "vr") else ""
            warn_of_base_unit(f"Population.{parameter}", self._values[parameter], unit)

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
            checks.unknown("Population", name, (*self._values, "V", "u"), HABITS)

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
        known, where = _EXTRAS.get(name) or self.model.parameters[name], f"Population.{name}"
        exact = checks.array(
            where, value, known.unit, (self.size, self.shape), finite=math.isfinite(known.default), above=known.above,
            at_least=known.at_least,
        )  # fmt: skip
        checks.finite(where, np.where(exact == known.default, 0.0, exact), self.dtype)  # the default may be infinite
        if name == "V_min" and self.scheme.exact:
            _check_no_floor(exact)
        if name == "tau_ref":
            self._engine.check_tau_ref(where, exact)
        values = np.array(exact, self.dtype)
        values.flags.writeable = False
        # What is shown and what the engine has yet to take, at once: an interrupt may come before it has.
        self._set(**{name: values}, _values=self._values | {name: values}, _to_take=self._to_take | {name: exact})
        self._hand_over()

    def _hand_over(self) -> None:
        """Give the engine the parameters that it has yet to take."""
        for name, exact in self._to_take.items():
            lanes = self._lanes(exact)
            if name == "tau_ref":
                self._engine.set_tau_ref(lanes)
            else:
                self._engine.set_parameter(name, lanes)
        if self._to_take:
            self._forget_calls()
            self._set(_to_take={})

    def _lanes(self, values: Array) -> Array:
        """One value for all neurons, or one for each in flat order."""
        return values if values.ndim == 0 else np.broadcast_to(values, self.shape).ravel()

    def _warn_of_reset(self) -> None:
        """Warn of a neuron that a spike leaves at its threshold or above, so that one spike follows the other."""
        model, u, soft = self.model, self.u.astype(float), self.reset_kind == "soft"
        p = model.named_tuple()(*(np.asarray(self._values[name], float) for name in model.parameters))
        try:
            with np.errstate(all="ignore"):
                limit = np.broadcast_to(model.threshold(u, p), self.shape).ravel()
                after = np.broadcast_to(0.0 if soft else model.V_reset(u, p), self.shape).ravel()
                stuck = after >= limit
        except Exception:  # equations of a user that take numbers and no arrays
            return
        if stuck.any():
            j = int(np.argmax(stuck))
            cure = "the reset 'hard' for a threshold that is not above 0" if soft else "a c below the threshold"
            warnings.warn(
                f"Population: a spike leaves neuron {j} at {after[j]:g} mV by the reset {self.reset_kind!r}, not below "
                f"its threshold of {limit[j]:g} mV: it fires again as soon as it can. Use {cure}.",
                stacklevel=users_level(),
            )

    def _checked_state(self, name: str, value: Any) -> Array:
        where, unit = f"Population.{name}", getattr(self.model, name).unit
        exact = checks.array(where, value, unit, (self.size, self.shape))
        checks.finite(where, exact, self.dtype)
        return exact.astype(self.dtype)

    def _exact_engine(self, dt: float) -> ExactEngine:
        """In place of the clock engine, with the same live arrays."""
        for argument, wanted, value, cure in (
            ("dtype", "float64", self.dtype.name, "Spike times to rounding take double precision."),
            ("batch", None, self.batch, "Make one population of all copies."),
        ):
            if value != wanted:
                raise ValueError(f"Population.{argument} must be {wanted} with the scheme 'exact', got {value}. {cure}")
        _check_no_floor(self.V_min)
        clock = self._engine
        engine = ExactEngine(self.model, self.reset_kind, self.n, dt, clock.V, clock.u, clock.spikes)
        for name in self.model.parameters:
            engine.set_parameter(name, self._lanes(self._values[name]))
        engine.set_tau_ref(self._lanes(self.tau_ref))
        engine.normal_form()  # whatever is wrong shows now
        return engine

    def _join(self, network: Any, name: str) -> None:
        """Become part of a network: take over its clock and its seed."""
        self._must_not_run()
        if self.batch is not None:
            raise ValueError(f"Population.batch must be None in a network, got {self.batch}. Make a network per entry.")
        if self.t != network.t:
            raise ValueError(
                f"Population must be at t = {network.t:g} ms like the network, got {self.t:g} ms. Reset both, or "
                "add it before they run."
            )
        for argument, given in self._given.items():
            wanted = name if argument == "name" else getattr(network, argument)
            wanted = getattr(wanted, "name", wanted)
            if given is not None and given != wanted:
                raise ValueError(
                    f"Population.{argument} must be {wanted!r} like the network's, got {given!r}. Give it to the "
                    "Network, or leave it out."
                )
        engine = self._engine
        if network.scheme.exact and isinstance(engine, ClockEngine):
            engine = self._exact_engine(network.dt)
        self._set(
            dt=network.dt, scheme=network.scheme, seed=network.seed, threads=network.threads, name=name, _engine=engine,
            _table=engine.table.numbers,
        )  # fmt: skip
        if not self.scheme.exact:
            self._engine.set_clock(self.scheme, self.dt)
            self._set_parameter("tau_ref", self.tau_ref)
        self._set_start(*self._start_given)
        self._set(_network=network)

    def _set_start(self, V: Any, u: Any) -> None:
        V_given, u_given = V, u
        for name, value in (("V", V), ("u", u)):
            if value is None:
                value = getattr(self.model, name).default
            if isinstance(value, str) and name == "u":
                checks.one_of("Population.u", value, ("nullcline",))
                values = (np.asarray(self._values[parameter], float) for parameter in self.model.parameters)
                value = u_nullcline(self.model, np.asarray(self.V, float), self.model.named_tuple()(*values))
            elif callable(value):
                checks.takes(f"Population.{name}", value, "rng", "shape")
                key = np.array(stream_key(self.seed, self.name, name, 0), np.uint64)
                value = value(np.random.Generator(np.random.Philox(key=key)), self.shape)
            vars(self)[name][...] = self._checked_state(name, value)
        self._set(_start=(self.V.copy(), self.u.copy()), _start_given=(V_given, u_given))

    # --- state ----------------------------------------------------------------------------------------------------

    @property
    def n_steps(self) -> int:
        """Steps done since the start or the last reset; the scheme 'exact' has none."""
        if self.scheme.exact:
            raise AttributeError("Population.n_steps is not there with the scheme 'exact', which has no steps. Use t.")
        return self._engine.step

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
        """Neurons that spiked in the last step or were held in it. bool, Shape."""
        return self._engine.held().reshape(self.shape)

    def _rewind(self) -> None:
        self.V[...], self.u[...] = self._start
        self._engine.rewind()
        self._memory.clear()
        self._set(_last_run=None)

    @property
    def network(self) -> Any:
        """The network that it is in, or None."""
        net = self._network
        return net if net is not None and net.populations.get(self.name) is self else None

    def _must_not_run(self) -> None:
        self._turn.must_be_free()
        if self.network is not None:
            raise RuntimeError(f"Population {self.name!r} is in a network. Call step, run and reset of the Network.")


def _check_no_floor(V_min: Array) -> None:
    if not np.all(np.isneginf(V_min)):
        lowest = np.max(V_min)
        raise ValueError(
            f"Population.V_min must be -inf with the scheme 'exact', whose equations have no floor, got {lowest:g}. "
            "Use a clock scheme such as 'rk4'."
        )
