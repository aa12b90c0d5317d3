"""`load`: a network made anew from a checkpoint."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from izhnumba._base import paths
from izhnumba._base.saved import Saved
from izhnumba._checkpoint import format as checkpoint_format
from izhnumba._checkpoint.check_network import check
from izhnumba._checkpoint.check_populations import check_restored
from izhnumba._checkpoint.check_recorders import check_position
from izhnumba._checkpoint.format import NETWORK, refusing
from izhnumba._clock.release import Release
from izhnumba._engine.timebase import Instant
from izhnumba._network.connect import plastic_rule
from izhnumba._network.drives import drive
from izhnumba._network.network import Network
from izhnumba._network.run import parts_of
from izhnumba._network.synapses import Synapses
from izhnumba._population.population import Population
from izhnumba._population.section import Section
from izhnumba._population.source import SOURCES
from izhnumba._synapse.csr import SynapseTable


def load(path: str | Path, define: Sequence[Any] = ()) -> Network:
    """A network as it was when `Network.save` wrote it: it goes on to the last bit as if it had never stopped.

    Parameters
    ----------
    path : path
    define : sequence of models, classes and functions
        Those of your own that the network uses: models, rules of plasticity, receptors, inputs, samplers, blocks.
        Izhnumba's are known by name.

    Returns
    -------
    Network
        Its parts are in `net.populations`, `net.synapses`, `net.drives` and `net.recorders` by name. A
        recorder with a file goes on in that file, from where it was.

    Raises
    ------
    ValueError
        If the file is another kind of file, cut short, altered or of a newer format, if what it says cannot be, or if
        it needs something that `define` does not hold; if the file of a recorder is not the one that it was writing.
    TypeError, FileNotFoundError
        For another kind of path or `define`; without the checkpoint, or the file of a recorder.

    Warns
    -----
    UserWarning
        If the file of a recorder holds rows that are later than the checkpoint. Loading leaves it as it is. When new
        rows come, the later ones are first moved to a recording of their own beside it, `<name>.1` or the next number
        that is free.

    Notes
    -----
    Nothing in a file is executed, and all of it is checked before anything is made, so that a file from elsewhere can
    do no harm. Your own classes in `define` get the fields that a file holds.

    Examples
    --------
    >>> import tempfile, izhnumba as iz
    >>> net = iz.Network(seed=1)
    >>> cells = net.add(iz.Population(10, **iz.presets["RS"]), name="cells")
    >>> noise = net.drive(cells, iz.Noise(std=20.0))
    >>> net.run(50.0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     net.save(f"{folder}/state.npz")
    ...     again = iz.load(f"{folder}/state.npz")
    >>> net.run(50.0)
    >>> again.run(50.0)
    >>> bool((again.populations["cells"].V == cells.V).all())
    True
    """
    path = paths.file("load.path", path)
    saved = checkpoint_format.load(path, NETWORK, define)
    with refusing(NETWORK, path):
        check(saved)
        net = _network(saved)
    for name, one in saved["recorders"].items():
        later = net.recorders[name]._restore(one["position"], one["to"])
        if later is not None:
            warnings.warn(
                f"load: recorder {name!r} goes on from {net.t:g} ms, but its file {one['to']!r} holds rows up to "
                f"{later:g} ms. When new ones come, these are moved to a file of their own beside it.",
                stacklevel=2,
            )
    return net


def _network(saved: dict[str, Any]) -> Network:
    net = Network(**saved["arguments"])
    for name, one in saved["populations"].items():
        _add_population(net, name, one)
    for name, one in saved.get("sources", {}).items():
        source = net.add(SOURCES[one["kind"]](**one["arguments"]), name)
        source._memory.update(one["memory"])
    for name, one in saved["synapses"].items():
        net._synapses[name] = _synapses(net, name, one, saved["now"])
    for name, one in saved["drives"].items():
        _add_drive(net, name, one)
    for name, pop in net._populations.items():
        state = saved["populations"][name]["state"]
        pop._engine.restore(state)
        check_restored(pop._engine, state, f"network/populations/{name}/state")
    net._clock.now = saved["now"]
    for name, source in net._sources.items():
        source._engine.restore(saved["sources"][name]["state"], saved["now"])
    if saved.get("bound", saved["now"]):  # its clock had been made ready; older files do not say so
        net._bound = parts_of(net), False
    for name, one in saved["recorders"].items():
        _add_recorder(net, name, one)
    return net


def _add_population(net: Network, name: str, saved: dict[str, Any]) -> None:
    with warnings.catch_warnings(action="ignore"):  # that dt is too large has been said
        pop = net.add(Population(**saved["arguments"]), name)
    pop._set(_warned=saved["warned"])
    pop._engine.prepare_for(saved["state"])


def _section(net: Network, saved: list[Any]) -> Section:
    population = net.populations[saved[0]]
    if len(saved) == 2:
        return Section(population, saved[1])
    _, start, stop, *whole = saved
    return Section(population, range(start, stop), *whole or [stop - start == population.n])


def _synapses(net: Network, name: str, saved: dict[str, Any], now: Instant) -> Synapses:
    source, target = _section(net, saved["source"]), _section(net, saved["target"])
    rows, release = SynapseTable(**saved["rows"]), None
    if "release" in saved:
        targets = target.population._engine.target_lanes(target.start)
        release = Release(saved["receptor"], rows, targets.lanes, targets.dtype, net.dt)
        release.check(Saved(saved["release"], f"network/synapses/{name}/release", release.state()), now)
        release.load_state(saved["release"])
    plastic, rule = None, plastic_rule(saved["plasticity"], saved["receptor"], net.dt)
    if rule is not None:
        engine = target.population._engine
        plastic = engine.plastic_state(rule, rows, lambda: saved["first_weights"])
        plastic.check(Saved(saved["state"], f"network/synapses/{name}/state", plastic.state()), now)
        plastic.load_state(saved["state"])
    synapses = Synapses(name, source, target, saved["receptor"], saved["rule"], rows, plastic, release)
    synapses._modulate([(_section(net, one["by"]), one["amount"]) for one in saved.get("modulated_by", ())])
    shared = synapses._projection.shared
    if shared is not None:
        shared.check(Saved(saved["state"], f"network/synapses/{name}/state", shared.state()))
        shared.load_state(saved["state"])
    synapses._shared = True  # whoever wrote the file may have written weights: the first run looks at them
    return synapses


def _add_drive(net: Network, name: str, saved: dict[str, Any]) -> None:
    section, through = _section(net, saved["section"]), saved.get("receptor")
    made = drive(net, section, saved["value"], through, name, saved.get("ordinal"))
    made._memory.update(saved["memory"])


def _add_recorder(net: Network, name: str, saved: dict[str, Any]) -> None:
    source = saved["source"]
    if isinstance(source, dict):
        source = net.drives[source["drive"]]
    else:
        source = net.synapses[source] if isinstance(source, str) else _section(net, source)
    options = dict(saved["options"])
    start, stop = options.pop("start"), options.pop("stop")
    recorder = net.record(source, saved["what"], name=name, **options)
    recorder.stop, recorder.start = stop, start  # one that pauses may start after it has stopped
    check_position(recorder, saved["position"], saved["to"], net._clock.now, f"network/recorders/{name}/position")
