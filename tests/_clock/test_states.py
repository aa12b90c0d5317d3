"""States beside V and u in the kernels of the clock schemes, against a slow program, and in all forms of a run."""

from __future__ import annotations

import numpy as np
import pytest
from everything import Adapting, Everything
from oracle import SCHEMES, Quadratic
from states_oracle import NAMES, PARAMETERS, StatesOracle
from states_oracle import Everything as Slow

import izhnumba as iz

N, DT = 8, 0.1
HELD = np.array([0.0, 0.05, 0.1, 0.25, 0.5, 1.1, 2.0, 3.03])


def exact_in_float32(x):
    return np.asarray(x, dtype=np.float32).astype(np.float64)


@pytest.mark.filterwarnings("ignore:Population.V fell below")
@pytest.mark.parametrize(
    ("scheme", "dtype", "reset"),
    [
        *(
            (scheme, "float64", reset)
            for scheme, reset in zip(SCHEMES, ("hard", "soft", "overshoot") * 3, strict=False)
        ),
        ("exp_euler", "float32", "overshoot"),
    ],
)
def test_each_step_with_all_inputs_is_that_of_the_oracle(scheme, dtype, reset):
    """Each step begins where the population stands, so that errors of single steps show and nothing can grow."""
    rng = np.random.default_rng(7)
    parameters = {name: exact_in_float32(x * rng.uniform(0.8, 1.2, N)) for name, x in PARAMETERS.items()}
    V_min, start = exact_in_float32(rng.uniform(-80, -70, N)), {"dend": -65.0, "ca": 0.5, "gate": 0.1, "rise": 0.0}
    pop = iz.Population(N, model=Everything, scheme=scheme, dtype=dtype, reset=reset, dt=DT, u=-13.0, V_min=V_min,
                        tau_ref=HELD, **parameters)  # fmt: skip
    oracle = StatesOracle(N, Slow(**parameters), scheme, DT, -65.0, -13.0, reset=reset, V_min=V_min, tau_ref=HELD,
                          start=start)  # fmt: skip
    tolerance, n_spikes = 1e-11 if dtype == "float64" else 4e-5, 0
    for k in range(400):
        I, delta = exact_in_float32(rng.normal(20, 8, N)), exact_in_float32(rng.normal(0, 3, N))
        g, E = [exact_in_float32(rng.uniform(0, 0.2, N)) for _ in range(2)], [np.float64(0.0), np.float64(-80.0)]
        spikes, expected = pop.step(I, delta=delta, g=g, E=E), oracle.step(I, delta, g, E)
        assert np.array_equal(spikes, expected), k
        for name, values in {"V": oracle.V, "u": oracle.u, **oracle.states}.items():
            assert getattr(pop, name) == pytest.approx(values, rel=tolerance, abs=tolerance), (name, k)
        n_spikes += np.count_nonzero(spikes)
        lost = (np.abs(pop.V) > 200) | (rng.random(N) < 0.01)
        pop.V[lost], pop.u[lost], pop.rise[lost] = -65.0, -13.0, 0.0
        oracle.V, oracle.u = pop.V.astype(float), pop.u.astype(float)
        oracle.put({name: getattr(pop, name).astype(float) for name in NAMES})
    assert n_spikes > 30


class Slower(Quadratic):
    """`Adapting`."""

    def current(self, V, u, I):
        return super().current(V, u, I) - PARAMETERS["g_ca"] * self.ca

    def threshold(self, u):
        return self.V_th + self.rise

    def derivative(self, name, V, u, I):
        return -PARAMETERS["r_" + name] * getattr(self, name)

    def slope(self, name, V):
        return -PARAMETERS["r_" + name]

    def after(self, name, u):
        return getattr(self, name) + PARAMETERS[{"ca": "jump", "rise": "lift"}[name]]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_run_has_the_spikes_of_the_oracle(dtype):
    """By the short exprel, which is left where V lies above the V up to which it holds (37 mV, float64) and below a
    threshold that has risen."""
    I = np.linspace(5.0, 60.0, N)
    pop = iz.Population(N, model=Adapting, dtype=dtype, u=-13.0, V_th=np.linspace(30.0, 60.0, N), threads=1)
    result = pop.run(300.0, I, record=["V", "rise"])
    oracle = StatesOracle(N, Slower(V_th=np.linspace(30.0, 60.0, N)), "exp_euler", DT, -65.0, -13.0,
                          names=["ca", "rise"], start={"ca": 0.5}, dtype=dtype)  # fmt: skip
    spikes = np.array([oracle.step(I.astype(dtype)) for _ in range(3000)])
    step, i = np.nonzero(spikes)
    assert len(i) > 150
    if dtype == "float64":
        assert np.array_equal(result.spikes.step, step)
        assert np.array_equal(result.spikes.i, i)
        assert pop.rise == pytest.approx(oracle.model.rise, rel=1e-9)
    assert abs(len(result.spikes) - len(i)) <= 0.02 * len(i)


def test_the_short_way_is_left_for_a_V_above_it():
    """The last neuron is so low that every step of all the others is a careful one."""
    V_th, I = np.linspace(30.0, 120.0, 200), np.linspace(5.0, 60.0, 200)
    short = iz.Population(200, model=Adapting, V_th=V_th, u=-13.0)
    careful = iz.Population(
        201, model=Adapting, V_th=np.append(V_th, 30.0), u=-13.0, V=np.append(np.full(200, -65.0), -900.0)
    )
    one, other = short.run(100.0, I, record="V"), careful.run(100.0, np.append(I, -2e5), record="V")
    assert other.V[:, 200].max() < -400.0
    assert ((one.V > 40.0) & (one.V < V_th)).any()
    assert np.array_equal(one.V, other.V[:, :200])


def made(**options):
    rng = np.random.default_rng(3)
    return iz.Population(3000, model=Adapting, u=-13.0, V_th=rng.uniform(28.0, 45.0, 3000), lift=0.5, **options)


def states(pop):
    return [getattr(pop, name).copy() for name in ("V", "u", "ca", "rise")]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_threads_splits_and_single_steps_do_not_change_a_bit(tmp_path):
    I = np.random.default_rng(1).uniform(0.0, 30.0, 3000)
    pops = {
        name: made(threads=threads, seed=1) for name, threads in (("whole", 1), ("two", 2), ("split", 1), ("steps", 1))
    }
    pops["whole"].run(20.0, I), pops["two"].run(20.0, I)
    pops["split"].run(7.3, I)
    pops["split"].save(tmp_path / "half.npz")
    pops["split"] = iz.Population.load(tmp_path / "half.npz", define=[Adapting])
    pops["split"].run(12.7, I)
    for _ in range(200):
        pops["steps"].step(I)
    for pop in pops.values():
        assert same(states(pop), states(pops["whole"]))
    pops["two"].reset()
    assert same(states(pops["two"]), states(made(seed=1)))


def test_a_V_that_is_set_above_the_short_way_is_seen():
    """Between two steps of a run it cannot be; the first step of a call looks at it."""
    one, other = (iz.Population(70, model=Adapting, V_th=90.0, u=-13.0) for _ in range(2))
    slow = StatesOracle(70, Slower(V_th=90.0), "exp_euler", DT, 80.0, -13.0, names=["ca", "rise"], start={"ca": 0.5})
    one.V, other.V[3] = 80.0, 80.0
    one.step(0.0), other.step(0.0), slow.step(0.0)
    assert one.V == pytest.approx(slow.V, rel=1e-13)
    assert other.V[3] == one.V[3] > 90.0
    assert np.isfinite(other.V).all()


@pytest.mark.parametrize("scheme", ["exp_euler", "euler", "rk4"])
def test_a_state_that_enters_nothing_changes_no_bit_of_V_and_u(scheme):
    import dataclasses

    alone = dataclasses.replace(iz.Izhikevich, name="Alone", parameters=Adapting.parameters, states=Adapting.states)
    plain, more = (iz.Population(300, model=model, scheme=scheme, u=-13.0) for model in (iz.Izhikevich, alone))
    I = np.linspace(0.0, 20.0, 300)
    a, b = plain.run(50.0, I), more.run(50.0, I)
    assert np.array_equal(a.spikes.i, b.spikes.i)
    assert np.array_equal(plain.V, more.V)
    assert np.array_equal(plain.u, more.u)


def test_the_kernel_of_ones_own_loop_changes_states_in_place():
    pop = iz.Population(50, model=Everything, scheme="euler", u=-13.0)
    step, spikes, n_spikes = iz.kernel(Everything, "euler"), np.zeros(50, bool), 0
    V, u = pop.V.copy(), pop.u.copy()
    own = [getattr(pop, name).copy() for name in NAMES]
    p = (*(quantity.default for quantity in Everything.parameters.values()), *own)
    I = np.linspace(0.0, 40.0, 50)
    for _ in range(500):
        n_spikes += step(V, u, I, p, 0.1, spikes)
        assert np.array_equal(spikes, pop.step(I))
    assert n_spikes > 50
    assert same([V, u, *own], [pop.V, pop.u, *(getattr(pop, name) for name in NAMES)])


def test_a_state_that_is_not_finite_ends_the_run_in_its_step():
    pop = iz.Population(100, model=Adapting, u=-13.0)
    pop.run(1.0)
    pop.ca[7] = np.inf
    with pytest.raises(
        RuntimeError, match=r"^V or ca became non-finite in 1 of 100 neurons at t = 1.1 ms, first neuron 7"
    ):
        pop.run(1.0)
    assert np.isfinite(np.delete(pop.V, 7)).all()
    pop.reset()
    pop.run(1.0)


@pytest.mark.parametrize("scheme", ["exp_euler", "euler"])
def test_with_delay_0_a_spike_resets_states_once(scheme):
    """Jumps at the end of its own step lift V, or let it fall below a threshold, without another reset."""
    net = iz.Network(scheme=scheme, seed=2)
    cells = net.add(iz.Population(50, model=Adapting, u=-13.0, r_ca=0.0, r_rise=0.05, ca=0.0), name="cells")
    net.connect(cells, cells, iz.FixedProbability(0.3), weight=iz.Uniform(-40.0, 40.0), delay=0.0)
    net.drive(cells, np.linspace(5.0, 30.0, 50))
    spikes = net.record(cells)
    net.run(100.0)
    counts = np.bincount(spikes.i, minlength=50)
    still_to_come = cells.spikes if scheme == "exp_euler" else 0
    assert counts.sum() > 300
    assert np.array_equal(cells.ca, counts - still_to_come)


def test_a_parameter_that_is_set_between_steps_changes_the_gain_of_a_state():
    pop = iz.Population(4, model=Adapting, u=-13.0)
    slow = StatesOracle(4, Slower(), "exp_euler", DT, -65.0, -13.0, names=["ca", "rise"], start={"ca": 0.5})
    rates = {"r_ca": np.array([0.01, 0.1, 0.5, 2.0]), "r_rise": 0.3}
    for k in range(300):
        if k == 100:
            pop.r_ca, pop.r_rise = rates["r_ca"], rates["r_rise"]
            slow.model.derivative = lambda name, V, u, I: -rates["r_" + name] * getattr(slow.model, name)
            slow.model.slope = lambda name, V: -rates["r_" + name]
        pop.step(12.0), slow.step(12.0)
    assert pop.ca == pytest.approx(slow.model.ca, rel=1e-9)
    assert pop.rise == pytest.approx(slow.model.rise, rel=1e-9)
    assert len(set(pop.ca)) == 4
