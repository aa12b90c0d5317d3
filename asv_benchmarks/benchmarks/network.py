"""Networks: time of a second of model time, of an event, of a step and to build, and memory per synapse."""

import statistics
import time

import numpy as np

import izhnumba as iz

from .ratios import interleaved


def network_2003(dtype):
    """1000 neurons, all to all, a new random current for each neuron and ms."""
    rng = np.random.default_rng(0)
    excitatory, r = np.arange(1000) < 800, rng.random(1000)
    net = iz.Network(dt=1.0, scheme="izhikevich2003", seed=1, threads=1)
    b = np.where(excitatory, 0.2, 0.25 - 0.05 * r)
    c, d = np.where(excitatory, -65 + 15 * r**2, -65), np.where(excitatory, 8 - 6 * r**2, 2)
    a = np.where(excitatory, 0.02, 0.02 + 0.08 * r)
    cells = net.add(iz.Population(1000, a=a, b=b, c=c, d=d, u=-65.0 * b, dtype=dtype))
    net.connect(cells[:800], cells, iz.AllToAll(), weight=iz.Uniform(0, 0.5), receptor=iz.Pulse())
    net.connect(cells[800:], cells, iz.AllToAll(), weight=iz.Uniform(-1, 0), receptor=iz.Pulse())
    net.drive(cells, iz.Noise(np.where(excitatory, 5.0, 2.0)))
    return net


def sparse(n, degree, dtype, threads, longest=20.0):
    """80 % excitatory, V jumps with delays from 1 ms to `longest`, constant currents, dt 0.1 ms: 8 spikes a second."""
    rng, excitatory = np.random.default_rng(3), np.arange(n) < n * 4 // 5
    net = iz.Network(dt=0.1, scheme="euler", seed=1, threads=threads)
    V = rng.uniform(-70, -60, n)
    a, d = np.where(excitatory, 0.02, 0.1), np.where(excitatory, 8.0, 2.0)
    cells = net.add(iz.Population(n, a=a, b=0.2, c=-65.0, d=d, V=V, u=0.2 * V, dtype=dtype))
    jump = 0.5 if degree <= 100 else 0.05
    for part, weight in ((cells[: n * 4 // 5], jump), (cells[n * 4 // 5 :], -4 * jump)):
        net.connect(part, cells, iz.FixedOutDegree(degree), weight=weight, delay=iz.Uniform(1.0, longest))
    net.drive(cells, iz.Constant(rng.uniform(3, 5.5, n)))
    return net


def polychronization(dtype):
    """The plastic network of 2006: 1000 neurons with 100 synapses each, delays to 20 ms."""
    rng, excitatory = np.random.default_rng(8), np.arange(1000) < 800
    net = iz.Network(dt=1.0, scheme="izhikevich2003", seed=8, threads=1)
    a, d = np.where(excitatory, 0.02, 0.1), np.where(excitatory, 8.0, 2.0)
    cells = net.add(iz.Population(1000, a=a, b=0.2, d=d, u=-13.0, dtype=dtype))
    pre, column = np.divmod(np.arange(100_000), 100)
    post = np.concatenate([rng.choice(1000 if i < 800 else 800, 100, replace=False) for i in range(1000)])
    weight, delay = np.where(pre < 800, 6.0, -5.0), np.where(pre < 800, 1.0 + column // 5, 1.0)
    net.connect(cells, cells, (pre, post), weight=weight, delay=delay, receptor=iz.Pulse(), plasticity=iz.STDP2006())
    kicks = rng.integers(1000, size=20_000)
    net.drive(cells, iz.SpikeTrain(kicks, np.arange(20_000.0), weight=20.0, receptor=iz.Pulse()))
    return net


class Network2003:
    params = ["float32", "float64"]
    param_names = ["dtype"]

    def setup(self, dtype):
        self.net = network_2003(dtype)
        self.net.run(20.0)

    def time_second(self, dtype):
        self.net.reset()
        self.net.run(1000.0)


class Polychronization(Network2003):
    def setup(self, dtype):
        self.net = polychronization(dtype)
        self.net.run(20.0)

    def track_bytes_per_synapse(self, dtype):
        (syn,) = self.net.synapses.values()
        rows, plastic = syn._rows, syn._plastic
        arrays = rows.starts, rows.offsets, rows.weights, plastic.memory, plastic._incoming
        return sum(array.nbytes for array in arrays) / len(syn)

    track_bytes_per_synapse.unit = "bytes"


class Sparse:
    params = [[(10_000, 100), (10_000, 1000), (100_000, 100)], ["float32", "float64"], [1, 2]]
    param_names = ["neurons, degree", "dtype", "threads"]
    timeout = 300

    def setup(self, size, dtype, threads):
        self.net = sparse(*size, dtype, threads)
        self.net.run(5.0)

    def time_second(self, size, dtype, threads):
        self.net.reset()
        self.net.run(1000.0)

    def time_build(self, size, dtype, threads):
        sparse(*size, dtype, threads)

    def track_bytes_per_synapse(self, size, dtype, threads):
        rows = [syn._rows for syn in self.net.synapses.values()]
        return sum(r.starts.nbytes + r.offsets.nbytes + r.weights.nbytes for r in rows) / sum(
            r.weights.size for r in rows
        )

    track_bytes_per_synapse.unit = "bytes"

    def track_ns_per_event(self, size, dtype, threads):
        """Of what a second of model time takes, for each arrival at a synapse: 1e9 / events per second."""
        spikes = self.net.record(self.net.populations["population"], "spikes")
        times = []
        for _ in range(3):
            self.net.reset()
            started = time.perf_counter()
            self.net.run(1000.0)
            times.append(time.perf_counter() - started)
        return min(times) * 1e9 / (len(spikes) * size[1])

    track_ns_per_event.unit = "ns"


def coupled_populations():
    """8 populations of 100, all connected with all, each with noise and a recorder."""
    net = iz.Network(dt=0.1, seed=1, threads=1)
    populations = [net.add(iz.Population(100), name=f"p{k}") for k in range(8)]
    for pre in populations:
        for post in populations:
            net.connect(pre, post, iz.FixedProbability(0.1), weight=0.1, delay=1.5)
        net.drive(pre, iz.Noise(3.0))
        net.record(pre, "spikes")
    return net


def ten_cells(scheme="exp_euler"):
    net = iz.Network(dt=0.1, seed=1, threads=1, scheme=scheme)
    net.drive(net.add(iz.Population(10, **iz.presets["RS"])), 4.0)
    return net


def recorded():
    net = sparse(1000, 100, "float64", 1)
    net.record(net.populations["population"], "spikes")
    return net


def lit():
    net = recorded()
    net.drive(net.populations["population"], np.zeros(1000), name="light")
    return net


class LongDelays:
    """Time of an event with delays to 1 s over that with delays to 20 ms: both in turn, when spikes are under way."""

    params = ["float32", "float64"]
    param_names = ["dtype"]
    timeout = 600
    unit = "time / time"

    def track_ratio(self, dtype):
        best = {}
        for longest in (20.0, 1000.0):
            net = sparse(10_000, 1000, dtype, 1, longest)
            spikes = net.record(net.populations["population"], "spikes")
            net.run(1000.0)
            for _ in range(3):
                before, started = len(spikes), time.process_time()
                net.run(300.0)
                took = (time.process_time() - started) / (len(spikes) - before)
                best[longest] = min(took, best.get(longest, took))
        return best[1000.0] / best[20.0]


def readme():
    """The loop of README: noise, and a current that depends on V."""
    net = iz.Network(dt=0.1, seed=1, threads=1)
    cells = net.add(iz.Population(800, **iz.presets["RS"]))
    net.drive(cells, iz.Noise(3.0))
    net.drive(cells, 0.0, name="light")
    return net


class ClosedLoop:
    """A hundred times `Network.step`, and what Python sets in between: nothing, a live array, a parameter, or the value
    of a drive."""

    made = {
        "10 cells": ten_cells, "1000 x 100": recorded, "8 populations": coupled_populations, "live array": lit,
        "parameter": recorded, "value": readme, "10 cells, exact": lambda: ten_cells("exact"),
    }  # fmt: skip
    params = list(made)
    param_names = ["network"]

    def setup(self, name):
        self.net = net = self.made[name]()
        cells, drive = net.populations.get("population"), net.drives.get("light")
        between = {
            "live array": lambda: drive.value.__setitem__(3, 1.0), "parameter": lambda: setattr(cells, "c", -65.0),
            "value": lambda: setattr(drive, "value", 10.0 * (cells.V < -60.0)),
        }  # fmt: skip
        self.between = between.get(name)
        for _ in range(2000):
            net.step()

    def time_hundred_steps(self, name):
        for _ in range(100):
            if self.between:
                self.between()
            self.net.step()


class Until:
    """A thousand steps of 1000 x 100, and a question after each."""

    def setup(self):
        self.net = recorded()
        self.net.run(10.0)

    def time_thousand_questions(self):
        self.net.run(100.0, until=lambda net: False)


class Driven:
    """10,000 cells of float32 with a drive, one thread: its time over that with a constant current."""

    unit = "time / time with a constant current"
    params = ("Noise", "OrnsteinUhlenbeck", "Poisson", "SpikeTrain", "TimedArray")
    param_names = ("drive",)

    def setup(self, drive):
        rng, n, self.steps = np.random.default_rng(0), 10_000, 2000
        drives = {
            "Noise": lambda: [iz.Noise(4.0)],
            "OrnsteinUhlenbeck": lambda: [iz.OrnsteinUhlenbeck(4.0, 2.0, tau=5.0)],
            "Poisson": lambda: [4.0, iz.Poisson(500.0, weight=0.1)],
            "SpikeTrain": lambda: [4.0, iz.SpikeTrain(rng.integers(n, size=n), rng.uniform(0.0, 200.0, n), weight=5.0)],
            "TimedArray": lambda: [iz.TimedArray(rng.normal(4.0, 2.0, (self.steps, n)), dt=0.1)],
        }
        self.runners = {"constant": driven(n, [4.0]), drive: driven(n, drives[drive]())}

    def track_run(self, drive):
        times = interleaved(self.runners, self.steps, 9)
        return statistics.median(times[drive]) / statistics.median(times["constant"])


def driven(n, drives):
    net = iz.Network(dt=0.1, seed=1, threads=1)
    cells = net.add(iz.Population(n, dtype="float32", u=-13.0))
    for drive in drives:
        net.drive(cells, drive)

    def run(steps):
        net.reset()
        net.run(steps * net.dt)

    return run


class Source:
    """A PoissonSource of 10,000 cells at 10 Hz in a network of 10,000 x 100, which it does not reach: the time of a run
    over that without it. Networks take turns, three of each kind, for none lies in memory like another."""

    params = ["float32", "float64"]
    param_names = ["dtype"]
    timeout = 300
    unit = "time / time without a source"

    def setup(self, dtype):
        self.nets = {with_source: [sparse(10_000, 100, dtype, 1) for _ in range(3)] for with_source in (False, True)}
        for net in self.nets[True]:
            net.add(iz.PoissonSource(10_000, 10.0))
        for net in (*self.nets[False], *self.nets[True]):
            net.run(20.0)

    def track_ratio(self, dtype):
        times = {False: [], True: []}
        for _ in range(9):
            for with_source, nets in self.nets.items():
                started = time.process_time()
                for net in nets:
                    net.reset()
                    net.run(300.0)
                times[with_source].append(time.process_time() - started)
        return statistics.median(times[True]) / statistics.median(times[False])

    track_ratio.unit = unit


RECEPTORS = {
    "mixed": iz.Exponential(5.0, E=0.0) + 0.3 * iz.Exponential(80.0, E=0.0),
    "Kinetic": iz.Kinetic(1.1, 0.19, E=0.0),
    "Saturating": iz.Saturating(5.0, E=0.0),
    "WangNMDA": iz.WangNMDA(),
}


class Receptors:
    """5000 neurons with 100 synapses each at 10 Hz: time with a receptor over that with `Exponential(5, E=0)`."""

    params = list(RECEPTORS)
    param_names = ["receptor"]
    timeout = 300
    unit = "time / time with Exponential"

    def track_ratio(self, receptor):
        runners = {name: self.runner(one) for name, one in
                   (("plain", iz.Exponential(5.0, E=0.0)), (receptor, RECEPTORS[receptor]))}  # fmt: skip
        times = interleaved(runners, 1000, 5)
        return statistics.median(times[receptor]) / statistics.median(times["plain"])

    track_ratio.unit = unit

    def runner(self, receptor):
        net = iz.Network(dt=0.1, seed=1, threads=1)
        cells = net.add(iz.Population(5000, **iz.presets["RS"]))
        net.connect(cells, cells, iz.FixedOutDegree(100), weight=1e-5, delay=iz.Uniform(1.0, 5.0), receptor=receptor)
        net.drive(cells, iz.Noise(6.0) + 4.0)

        def run(steps):
            net.reset()
            net.run(steps * net.dt)

        return run


def all_to_all(n, weight):
    """n neurons that spike about ten times a second, all to all, float32."""
    net = iz.Network(dt=0.5, scheme="izhikevich2003", seed=1, threads=1)
    cells = net.add(iz.Population(n, **iz.presets["RS"], dtype="float32"))
    net.drive(cells, iz.Noise(10.0))
    net.connect(cells, cells, iz.AllToAll(autapses=False), weight=weight, delay=2.0)
    return net


class AllToAll:
    """All to all, with one weight that all share: time of a step over that with a weight for each, and over that of the
    same neurons without synapses; bytes per neuron."""

    params = [1000, 10_000]
    param_names = ["neurons"]
    timeout = 300

    def setup(self, n):
        alone = all_to_all(n, iz.Shared(-1e-3))
        alone.remove(alone.synapses["population to population"])
        nets = {"shared": all_to_all(n, iz.Shared(-1e-3)), "alone": alone, "each": all_to_all(n, -1e-3)}
        self.runners = {name: lambda steps, net=net: net.run(steps * net.dt) for name, net in nets.items()}
        (self.synapses,) = nets["shared"].synapses.values()

    def track_over_a_weight_for_each(self, n):
        times = interleaved(self.runners, 20_000_000 // n, 5)
        return statistics.median(times["shared"]) / statistics.median(times["each"])

    def track_over_no_synapses(self, n):
        times = interleaved(self.runners, 20_000_000 // n, 5)
        return statistics.median(times["shared"]) / statistics.median(times["alone"])

    def track_bytes_per_neuron(self, n):
        state = self.synapses._projection.shared.state()
        return (self.synapses._rows.starts.nbytes + sum(array.nbytes for array in state.values())) / n


AllToAll.track_over_a_weight_for_each.unit = AllToAll.track_over_no_synapses.unit = "time / time"
AllToAll.track_bytes_per_neuron.unit = "bytes"
