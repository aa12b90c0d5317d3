"""What is asked of a receptor before a kernel trusts it: of one of the user's own above all."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
from typing import Any

from izhnumba._base import checks
from izhnumba._synapse.receptor import Mixed, Propagator, Rates, Receptor, all_finite, parts_of

_METHODS = ("rates", "propagator", "block", "advance", "strength", "parameters")
_SETTINGS = ("no_rates", "per_source", "quiet_tau", "states")
_REVERSALS = ("e", "e_rev", "erev", "e_reversal", "e_syn", "v_rev", "vrev", "reversal", "reversal_potential")


def propagator_of(receptor: Receptor, dt: float) -> Propagator:
    """The receptor's propagator over dt ms, checked, for kernels trust it."""
    check_own(receptor)
    if receptor.advance is None and type(receptor).propagator is Receptor.propagator:
        _checked_rates(receptor)  # of which it is made
    must = (
        f"{type(receptor).__name__}.propagator must return a Propagator of 0, 1 or 2 states, all finite, or of several "
        "steps without states"
    )
    found = _told(receptor, "propagator", must, dt=dt)
    good = isinstance(found, Propagator) and all_finite(found) and found.states in (0, 1, 2)
    if not good or found.steps < 1 or (found.steps > 1 and found.states > 0):
        raise ValueError(f"{must}, got {checks.shown(found)}.")
    for decay in ("decay_y", "decay_x"):
        if abs(getattr(found, decay)) > 1:
            got = f"{decay} = {getattr(found, decay):g}"
            raise ValueError(f"{type(receptor).__name__}.propagator must decay (decay_y, decay_x <= 1), got {got}.")
    return Propagator(*found)


def acts_at_once(receptor: Receptor, dt: float) -> bool:
    """Whether what arrives changes V, or linear states, at an instant, as what sources with states send does: else it
    acts in the course of a step."""
    own = [one for one, _ in parts_of(receptor) if one.advance is not None and not one.per_source]
    return receptor.adds_to == "V" or not own and all(propagator_of(one, dt).states for one, _ in parts_of(receptor))


def rates_of(receptor: Receptor) -> Rates:
    """The receptor's rates, checked, for the scheme "exact"; an error if there are none."""
    check_own(receptor)
    found = _checked_rates(receptor)
    why = receptor.no_rates if found is None else "its block is no polynomial. Use a clock scheme such as 'rk4'."
    if found is None or receptor.gate is not None:
        name = type(receptor).__name__
        raise ValueError(f"Network receptor {name} must be left out with the scheme 'exact': {why}")
    return found


def _checked_rates(receptor: Receptor) -> Rates | None:
    """The Rates of a receptor, 1/ms, or None if it has none; an error if they are not finite or do not decay."""
    name = type(receptor).__name__
    must = f"{name}.rates must return Rates of 1 or 2 states, all finite, the factor 1 unless there are two"
    found = _told(receptor, "rates", must)
    if found is None:
        return None
    good = (
        isinstance(found, Rates) and all_finite(found) and found.states in ((0,) if receptor.adds_to == "V" else (1, 2))
    )
    if not good or (found.states < 2 and found.factor != 1):
        raise ValueError(f"{must}, got {checks.shown(found)}.")
    for rate in ("alpha", "gamma"):
        if getattr(found, rate) > 0:
            got = f"{rate} = {getattr(found, rate):g}"
            raise ValueError(f"{name}.rates must decay (alpha, gamma <= 0), got {got}.")
    return Rates(*found)


def _told(receptor: Receptor, method: str, must: str, **arguments: float) -> Any:
    """Call a method of the receptor and return its result. must: start of the error if it is a user's own and fails."""
    call = getattr(receptor, method)
    if str(getattr(call, "__module__", "")).startswith("izhnumba."):
        return call(*arguments.values())
    checks.takes(f"{type(receptor).__name__}.{method}", call, *arguments)
    try:
        return call(*arguments.values())
    except Exception as error:
        raise ValueError(f"{must}, got {type(error).__name__}: {error}.") from error


def check_own(receptor: Receptor) -> None:
    """Refuse a user's class that cannot be compared and stored, or whose kind no kernel knows."""
    kind, name = type(receptor), type(receptor).__name__
    if isinstance(receptor, Mixed):
        for part in receptor.parts:
            check_own(part)
    checks.own_dataclass(receptor, "so that equal receptors are one and a checkpoint can store it")
    if kind.__module__.startswith("izhnumba."):
        return
    if not kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise TypeError(
            f"{name} must be a frozen dataclass, got one that can be changed after it has been connected. Write "
            f"@dataclass(frozen=True) above class {name}."
        )
    _check_names(kind)
    if receptor.quiet_tau is not None:
        checks.number(f"{name}.quiet_tau", receptor.quiet_tau, "ms", above=0.0)
    if receptor.E is not None and not all_finite([receptor.E]):
        raise ValueError(f"{name}.E must be a finite number in mV or None, got {checks.shown(receptor.E)}.")
    if receptor.adds_to not in ("current", "conductance"):
        raise ValueError(
            f"{name}.adds_to must be 'current' or 'conductance', got {checks.shown(receptor.adds_to)}. Leave it out, "
            "and have a field E for a conductance."
        )
    gate = receptor.gate
    if gate is not None and receptor.E is None and gate.name != "block":
        raise ValueError(f"{name}.gate must come with E, its reversal potential, got {checks.shown(gate.value)} alone.")


def _check_names(kind: type[Receptor]) -> None:
    """Refuse a method or a field that nothing reads if its name is near to one that receptors have and this lacks."""
    declared = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    lacks = [name for name in (*_METHODS, *_SETTINGS, "E")
             if name not in declared and getattr(kind, name) is getattr(Receptor, name)]  # fmt: skip
    own = [one for one in kind.__mro__ if not one.__module__.startswith("izhnumba.")]
    members = {name: value for one in own for name, value in vars(one).items() if name[:1] != "_"}
    for name in [*declared, *members]:
        method = inspect.isroutine(getattr(members.get(name), "__func__", members.get(name)))
        near = difflib.get_close_matches(name, _METHODS if method else _SETTINGS, 1, 0.75)
        meant = near[0] if near else "E" if name.lower() in _REVERSALS and not method else None
        if meant in lacks and not hasattr(Receptor, name):
            raise TypeError(
                f"{kind.__name__}.{name} must be a {'method' if method else 'field'} that a receptor has, got one that "
                f"nothing {'calls' if method else 'reads'}. Did you mean {meant!r}?"
            )
