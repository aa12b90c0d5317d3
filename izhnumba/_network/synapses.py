"""Synapses: the connections that one call of `Network.connect` makes. Owns their arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks
from izhnumba._base.lent import Lent
from izhnumba._base.read_only import read_only
from izhnumba._base.sealed import Sealed
from izhnumba._base.words import counted
from izhnumba._clock.release import Release
from izhnumba._engine.plastic_state import PlasticState
from izhnumba._engine.projection import Projection, Released
from izhnumba._network import html
from izhnumba._network.parts import section_in
from izhnumba._population.section import Section, ends
from izhnumba._record.found import optional
from izhnumba._synapse import per_synapse, plasticity_rules, voltage_rules, weight_limits
from izhnumba._synapse.connectivity import Rule
from izhnumba._synapse.csr import SynapseTable
from izhnumba._synapse.plasticity import Plasticity
from izhnumba._synapse.positions import ByDistance, of_pairs
from izhnumba._synapse.receptor import Receptor, parts_of
from izhnumba._synapse.shared import SharedState
from izhnumba._synapse.together import rules_in
from izhnumba._synapse.weight_limits import Limit

Array = NDArray[Any]
_PER_STEP = 2**12  # weights that are checked for each step of a run
_ROUNDING = 1e-6  # of the largest conductance of a receptor
_ITSELF = ByDistance(function=lambda distance: distance)


_CURE = "Take the synapses out with Network.remove and connect again, with the delays and neurons that you want."
_FIXED = f"Synapses.delay, pre and post must be left as they are, got new values. {_CURE}"
_OF_POSITIONS = f"Synapses.distance must be left to the positions, got new values. {_CURE}"


class Synapses(Sealed):
    """Connections from one population, or chosen neurons of one, to another. Made by `Network.connect`.

    Attributes
    ----------
    pre, post : ndarray of int64, read-only
        Flat indices of source and target neuron of each synapse, in the populations as wholes.
    weight : ndarray
        In the unit of the receptor. Live: `syn.weight[...] = x` and `syn.weight = x` take effect. Conductances are not
        negative, and plastic weights lie within the bounds of their rule: the next run refuses others. Of synapses that
        share one weight (`Shared`) it has that alone.
    delay : ndarray of float64, ms, read-only
        Whole steps, or with the scheme "exact" the delays as given. Synapses with other delays are other synapses:
        `net.remove(syn)`, then connect `(syn.pre, syn.post)` again.
    distance : ndarray of float64, read-only
        In the unit of the populations' positions, without which it is not there.
    source, target : neurons of populations
        As `pop[...]` gives them: `.population` and `.neurons`.
    receptor : Receptor
    name : str

    Notes
    -----
    Synapses are in the order of their source neurons, those of one neuron in the order of delay and target; equal ones
    stay in the order in which they were given or drawn. (With the scheme "exact", and in networks from files of
    earlier versions, those of one neuron may be in up to eight parts of the targets, each in that order.)

    Examples
    --------
    >>> import izhnumba as iz
    >>> net = iz.Network(seed=1)
    >>> cells = net.add(iz.Population(3), name="cells")
    >>> syn = net.connect(cells, cells, ([0, 0, 2], [2, 1, 0]), weight=[0.5, 1.0, 2.0], delay=1.0)
    >>> syn.pre, syn.post, syn.weight
    (array([0, 0, 2]), array([1, 2, 0]), array([1. , 0.5, 2. ]))
    """

    receptor: Receptor
    _cures = dict.fromkeys(("delay", "distance", "pre", "post"), _CURE)

    def __init__(
        self, name: str, source: Section, target: Section, receptor: Receptor, rule: Rule | None, rows: SynapseTable,
        plastic: PlasticState | None, release: Release | None = None,
    ) -> None:  # fmt: skip
        """Made by `Network.connect`.

        Parameters
        ----------
        name : str
        source, target : Section
            The neurons that send, and those that receive.
        receptor : Receptor
            The target's engine gets a state for it if it has none.
        rule : Rule or None
            Which neurons are connected; None if the rows say it.
        rows : SynapseTable
        plastic : PlasticState or None
        release : Release or None
            States of the sources, if the receptor has such.
        """
        engine, both = target.population._engine, ends(source, target)
        state, self._targets = engine.receptor_state(receptor), engine.target_lanes(target.start)
        self.name, self.source, self.target, self.receptor = name, source, target, state.definition
        self._receptor_state, self._ends, self._rows = state, both, rows
        self._rule = rule if rows.offsets is None else None  # else the rows say it all
        self._dt, self._plastic, self._release = target.population.dt, plastic, release
        shared = None
        if rows.shared:
            sides = source.population._engine.padded, engine.padded
            shared = SharedState(source.neurons, target.neurons, sides, rows.delay, engine.dtype, self._apart)
        self._projection = Projection(
            source=source.population._engine, target=engine, first_source=source.start, first_target=target.start,
            n_sources=both.n_rows, n_targets=target.stop - target.start, shift=both.shift, receptor=state, rows=rows,
            plastic=plastic, release=release, shared=shared,
        )  # fmt: skip
        self._modulated_by: list[tuple[Section, float]] = []
        self._limits = limits_of(receptor, plastic.rule if plastic else None, engine.dtype)
        self._ours = plastic is None or of_izhnumba(plastic.rule)
        self._lent = Lent(rows.weights)
        self._shared = not self._ours  # whether somebody may write weights at any time
        self._unchecked = 0.0  # steps since they were checked
        self._seal()

    @property
    def plasticity(self) -> Plasticity | tuple[Plasticity, ...] | None:
        """The rule by which the weights change; a short-term and a long-term one if there are both."""
        rules = rules_in(self._plastic.rule) if self._plastic else (None,)
        return rules if len(rules) > 1 else rules[0]

    @property
    def modulator(self) -> float:
        """The present value of the modulator, such as dopamine, which scales the changes of a modulated rule; it can be
        set."""
        return self._modulated().modulator_at(self.target.population._engine.now)

    @modulator.setter
    def modulator(self, value: object) -> None:
        now = self.target.population._engine.now
        self._modulated().set_modulator(checks.number("Synapses.modulator", value), now)

    @property
    def modulated_by(self) -> list[tuple[Section, float]]:
        """The neurons whose spikes add to the modulator, and how much, as `modulate` was told."""
        return list(self._modulated_by)

    def modulate(self, by: object, amount: object) -> None:
        """Let each spike of neurons add to the modulator, as neurons release dopamine.

        It acts after all else of the step of the spike, as if you added it to `syn.modulator` after that step; with the
        scheme "exact" at the time of the spike. From then on it decays, such as with tau_d of DopamineSTDP. What spikes
        of one step release is added at once, populations in the order in which they were named.

        Parameters
        ----------
        by : Population, neurons of one, or of several such as `exc + inh`
            Of the same network. For neurons that were named before, the amount is another from now on.
        amount : float
            What a spike adds to the modulator; 0: those neurons release nothing any more.

        Raises
        ------
        AttributeError
            If the rule has no modulator.
        TypeError, ValueError
            If `by` are no neurons of this network or amount is no finite number.

        Examples
        --------
        >>> import izhnumba as iz
        >>> net = iz.Network(dt=1.0, seed=1)
        >>> cells, dopaminergic = net.add(iz.Population(10)), net.add(iz.Population(2), name="dopaminergic")
        >>> syn = net.connect(cells, cells, iz.FixedOutDegree(2), plasticity=iz.DopamineSTDP(tau_d=100.0))
        >>> syn.modulate(by=dopaminergic, amount=0.5)
        >>> kick = net.drive(dopaminergic, iz.SpikeTrain([0, 1], [1.0, 1.0], weight=200.0))
        >>> net.run(2.0)
        >>> syn.modulator
        1.0
        """
        where, net = "Synapses.modulate", self.target.population.network
        self._modulated()
        amount = checks.number(f"{where}.amount", amount)
        checks.finite(f"{where}.amount", np.asarray(amount), self._rows.weights.dtype)
        assert net is not None
        sections = [section_in(net, f"{where}.by", part) for part in getattr(by, "_parts", (by,))]
        with net._turn:
            kept = [(one, a) for one, a in self._modulated_by if not any(_same(one, other) for other in sections)]
            self._modulate([*kept, *((one, amount) for one in sections if amount)])

    def _modulate(self, by: list[tuple[Section, float]]) -> None:
        """Let these neurons release the modulator, and no others."""
        found = []
        for section, amount in by:
            members = np.zeros(section.stop - section.start, np.uint8)
            members[section.neurons - section.start] = 1
            found.append(Released(section.population._engine, section.start, members, amount))
        self._modulated_by, self._projection.released[:] = by, found

    @property
    def eligibility(self) -> Array:
        """The number that a rule keeps for each synapse beside its weight, such as the eligibility of DopamineSTDP or
        the derivative of STDP2006: its present values, a read-only copy. It can be set: `syn.eligibility = x`."""
        values = self._eligible().eligibility(self.target.population._engine.now)
        return read_only(
            values, "Synapses.eligibility must be set as a whole, got some values. Use syn.eligibility = x."
        )

    @eligibility.setter
    def eligibility(self, value: object) -> None:
        plastic = self._eligible()
        exact = checks.array("Synapses.eligibility", value, "", [self._rows.weights.shape])
        checks.finite("Synapses.eligibility", exact, self._rows.weights.dtype)
        plastic.set_eligibility(exact, self.target.population._engine.now)

    def _readers(self, names: Sequence[str]) -> dict[str, Callable[[], Array]]:
        """Functions that read what recorders of synapses sample, by name; an AttributeError if it is not there."""
        for name, there in {"eligibility": self._eligible, "modulator": self._modulated}.items():
            if name in names:
                there()
        weights = self._rows.weights
        known: dict[str, Callable[[], Array]] = {
            "weight": lambda: weights,
            "eligibility": lambda: self.eligibility,
            "modulator": lambda: np.asarray(self.modulator),
        }
        return {name: known[name] for name in names}

    def _eligible(self) -> PlasticState:
        if self._plastic is None or not self._plastic.rule.keeps_e:
            raise AttributeError(f"Synapses {self.name!r} have no eligibility. Connect with DopamineSTDP().")
        return self._plastic

    def _modulated(self) -> PlasticState:
        if self._plastic is None or not self._plastic.rule.modulator_tau:
            raise AttributeError(f"Synapses {self.name!r} have no modulator. Connect with DopamineSTDP().")
        return self._plastic

    @property
    def _apart(self) -> bool:
        """Whether a rule lets every source reach every target, also itself."""
        return self._ends.apart or getattr(self._rule, "autapses", True)

    def _clear(self, weights: bool) -> None:
        if self._release:
            self._release.clear()
        if self._projection.shared is not None:
            self._projection.shared.clear()
        if self._plastic:
            self._plastic.clear()
            if weights:
                self._rows.weights[...] = self._plastic.first_weights()

    def __len__(self) -> int:
        return self._rows.n

    _repr_html_ = html.of_synapses

    def __repr__(self) -> str:
        one_weight = ", one weight" * self._rows.shared
        return f"<{counted(len(self), 'synapse')} {self.source!r} -> {self.target!r}, {self.receptor!r}{one_weight}>"

    @property
    def pre(self) -> Array:
        """Flat index of the source neuron of each synapse."""
        counts = np.diff(self._rows.starts)
        row = np.repeat(np.arange(counts.size) // self._rows.parts, counts)
        return read_only(row + self.source.start, _FIXED)

    @property
    def post(self) -> Array:
        """Flat index of the target neuron of each synapse."""
        if self._rows.shared:
            post = np.tile(np.sort(self.target.neurons), len(self.source))
            if not self._apart:
                post = post[post != np.repeat(np.sort(self.source.neurons), len(self.target))]
            return read_only(post, _FIXED)
        if self._rule is not None:
            pieces = [post for _, post in self._rule.pairs(self._ends, np.random.default_rng(0))]
            return read_only(np.concatenate(pieces) + self.target.start, _FIXED)
        assert self._rows.offsets is not None
        return read_only((self._rows.offsets % self._targets.lanes).astype(np.int64), _FIXED)

    @property
    def delay(self) -> Array:
        """Delay of each synapse, ms."""
        if self._rows.times is not None:
            return read_only(self._rows.times.copy(), _FIXED)
        if self._rows.offsets is None:
            return read_only(np.full(len(self), self._rows.delay * self._dt), _FIXED)
        return read_only((self._rows.offsets // self._targets.lanes) * self._dt, _FIXED)

    @property
    def distance(self) -> Array:
        """Distance between the neurons of each synapse, in the unit of their positions."""
        where, (here, there) = "Synapses.distance", (one.population.positions for one in (self.source, self.target))
        try:
            return read_only(of_pairs(where, _ITSELF, here, there).values(self.pre, self.post), _OF_POSITIONS)
        except ValueError as error:
            raise AttributeError(str(error)) from None

    @property
    def weight(self) -> Array:
        """Weight of each synapse, live: what you write into it is checked when a run begins."""
        self._shared = True
        weights = self._lent.give()  # before what follows: the network asks whether it is held
        self._settle()
        return weights

    @weight.setter
    def weight(self, value: object) -> None:
        where, weights = "Synapses.weight", self._rows.weights
        exact = per_synapse.array(where, value, "", weights.size)
        checks.finite(where, exact, weights.dtype)
        weight_limits.check(where, exact.astype(weights.dtype), self._limits)
        self._settle()
        weights[...] = exact

    def _settle(self) -> None:
        """Let spikes that are under way keep the weights of now, which may be others afterwards, and those of all calls
        to come while somebody holds the weights. If another thread runs the network, this waits for the end of the
        compiled call."""
        if self._plastic is None and not self._rows.shared:  # those that share a weight keep sums of it
            net = self.target.population.network
            self._receptor_state.settle(self._lent, now=net is None or not net._turn.taken_elsewhere)

    def to_scipy(self) -> Any:
        """The weights as a scipy.sparse.coo_array (sources, targets), which `Network.connect` takes as it takes others.

        Returns
        -------
        scipy.sparse.coo_array
            A copy, with an entry for each synapse in the order of `weight`, also for those of weight 0. Indices are
            places in `source` and `target`. Several synapses of a pair are entries of their own, which `.toarray()`
            adds up.

        Raises
        ------
        ImportError
            Without scipy.

        Examples
        --------
        >>> import numpy as np, izhnumba as iz
        >>> net = iz.Network()
        >>> cells = net.add(iz.Population(2))
        >>> W = np.array([[0.0, 1.5], [2.5, 0.5]])
        >>> net.connect(cells, cells, W).to_scipy().toarray()
        array([[0. , 1.5],
               [2.5, 0.5]])
        """
        sparse = optional("Synapses.to_scipy", "scipy.sparse")
        places = self.source.places(np.asarray(self.pre)), self.target.places(np.asarray(self.post))
        weights = np.broadcast_to(self._rows.weights, len(self)).copy()
        return sparse.coo_array((weights, places), shape=(self._ends.n_pre, self._ends.n_post))

    def _check_weights(self, steps: float) -> None:
        """Refuse weights that somebody has written and that cannot be, when a run of so many steps begins; those of a
        large network when there have been so many that the check is nothing beside them."""
        if not self._shared or not self._limits:
            return
        self._unchecked += max(steps, 1)
        if self._unchecked * _PER_STEP >= self._rows.weights.size:
            weight_limits.check(f"Synapses.weight of {self.name!r}", self._rows.weights, self._limits)
            self._unchecked = 0.0

    def _check_results(self, steps: float) -> None:
        """The same for what a rule of the user has written in a run, and for what has come of that which it delivered:
        conductances below 0."""
        if self._ours or not self._limits or self._plastic is None:
            return
        rule = type(self._plastic.rule).__name__
        try:
            self._check_weights(steps)
        except ValueError as error:
            raise RuntimeError(f"{self.name}: {rule} has made weights that cannot be: {error}") from None
        strengths = self.target.population._engine.conductances(self._receptor_state)
        least, most = float(strengths.min(initial=0.0)), float(strengths.max(initial=0.0))
        if least < -_ROUNDING * most and all(
            min(one.propagator(self._dt)[1:]) >= 0 for one, _ in parts_of(self.receptor)
        ):
            raise RuntimeError(
                f"{self.name}: {rule}.arrival must deliver no amount below 0 to {self.receptor!r}, got a conductance "
                f"of {least:g} in neuron {int(strengths.argmin() % self._targets.lanes)}. {self._limits[0].why}"
            )


def _same(one: Section, other: Section) -> bool:
    """Whether two sections are of the same neurons."""
    return one.population is other.population and np.array_equal(np.sort(one.neurons), np.sort(other.neurons))


def limits_of(receptor: Receptor, rule: Plasticity | None, dtype: np.dtype[Any]) -> list[Limit]:
    """Those of weights of synapses; what bounds mean in a rule of the user's own is its own affair."""
    ours = [one for one in rules_in(rule) if of_izhnumba(one)] if rule else []
    return weight_limits.sign_of(receptor) + [limit for one in ours for limit in weight_limits.bounds_of(one, dtype)]


def of_izhnumba(rule: Plasticity) -> bool:
    """Whether all functions of a rule, or of rules together, are izhnumba's."""
    names = ("arrival", "target_spike", "after_spike", "update", "each_step", "when")
    functions = (getattr(type(one), name) for one in rules_in(rule) for name in names)
    modules = (plasticity_rules.__name__, voltage_rules.__name__)
    return all(getattr(one, "__module__", None) in modules for one in functions if one is not None)
