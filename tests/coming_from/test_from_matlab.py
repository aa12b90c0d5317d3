"""docs/coming_from/matlab.md: the steps of net.m and figure1.m in plain NumPy, and its script in Octave.

Izhikevich's programs are described in his papers of 2003 and 2004; what stands here are their steps in other words.
"""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pages
import pytest

import izhnumba as iz

WITHOUT = pytest.mark.skipif(shutil.which("octave-cli") is None, reason="Octave is not installed")
N = 100
CELL = np.arange(1, N + 1)
EXCITATORY = CELL <= 80
A, D, B, C = np.where(EXCITATORY, 0.02, 0.1), np.where(EXCITATORY, 8.0, 2.0), 0.2, -65.0
WEIGHTS = (13 * CELL[:, None] + 29 * CELL) % 11 / 8 * np.where(EXCITATORY, 1.0, -2.0)  # [to, from]


def current(t):
    """That of the page's script in its step t, in which every number is exact."""
    return (37 * CELL + 11 * t) % 17 / 2


def net_m(T, *, horner):
    """(t, cell) of each spike found, V at the end of each step: spikes are found first, then reset, then v steps."""
    v, u, firings, V = np.full(N, -65.0), np.full(N, B * -65.0), [], []
    for t in range(1, T + 1):
        fired = np.flatnonzero(v >= 30)
        firings += [(t, i + 1) for i in fired]
        v[fired] = C
        u[fired] += D[fired]
        I = current(t) + WEIGHTS[:, fired].sum(axis=1)
        for _ in range(2):
            v = v + 0.5 * ((0.04 * v + 5) * v + 140 - u + I if horner else 0.04 * v**2 + 5 * v + 140 - u + I)
        u = u + A * (B * v - u)
        V.append(v.copy())
    return firings, np.array(V)


def here(T):
    net = iz.Network(dt=1.0, scheme="izhikevich2003")
    pop = net.add(iz.Population(N, a=A, b=B, c=C, d=D, V=-65.0, u="nullcline"))
    net.connect(pop, pop, WEIGHTS.T, delay=1.0, receptor=iz.Pulse())
    net.drive(pop, iz.TimedArray(np.array([current(t) for t in range(1, T + 1)]), dt=1.0))
    spikes, V = net.record(pop, "spikes"), net.record(pop, "V")
    net.run(float(T))
    return [(t, i) for t, i in zip(spikes.step + 2, spikes.i + 1, strict=True) if t <= T], V.V


def test_net_m_step_by_step():
    """Every bit of V with the parabola in Horner form; as net.m has it, every spike for a while, but not every bit."""
    firings, V = here(300)
    assert len(firings) > 300
    assert net_m(300, horner=True)[0] == firings
    np.testing.assert_array_equal(net_m(300, horner=True)[1], V)
    theirs, other = net_m(300, horner=False)
    assert theirs == firings
    assert np.any(other != V)


def test_the_script_of_the_page_is_that_of_these_tests():
    found = pages.run("matlab", ours=True)["firings"]
    firings, _ = here(300)
    assert found[found[:, 0] <= 300].tolist() == [list(row) for row in firings]
    assert found[:, 0].max() <= 301


def test_the_numbers_of_net_m_from_a_file(tmp_path, monkeypatch):
    """The page's network with saved numbers, beside the steps of net.m: each spike of the first 300 ms."""
    io = pytest.importorskip("scipy.io")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    re, ri = rng.random((800, 1)), rng.random((200, 1))
    S = np.hstack([0.5 * rng.random((1000, 800)), -rng.random((1000, 200))])
    I = np.vstack([5.0 * rng.normal(size=(800, 1000)), 2.0 * rng.normal(size=(200, 1000))])
    io.savemat("net.mat", {"re": re, "ri": ri, "S": S, "I": I})
    (code,) = [code for _, code in pages.blocks("matlab") if "loadmat" in code]
    names = {"iz": iz, "np": np}
    exec(code, names)
    rec = names["rec"]
    found = [(t, i) for t, i in zip(rec.step + 2, rec.i + 1, strict=True) if t <= 300]

    a, b = np.vstack([np.full((800, 1), 0.02), 0.02 + 0.08 * ri]), np.vstack([np.full((800, 1), 0.2), 0.25 - 0.05 * ri])
    c, d = np.vstack([-65 + 15 * re**2, np.full((200, 1), -65)]), np.vstack([8 - 6 * re**2, np.full((200, 1), 2)])
    v, firings = np.full((1000, 1), -65.0), []
    u = b * v
    for t in range(1, 301):
        fired = np.flatnonzero(v >= 30)
        firings += [(t, i + 1) for i in fired]
        v[fired] = c[fired]
        u[fired] += d[fired]
        total = I[:, [t - 1]] + S[:, fired].sum(axis=1, keepdims=True)
        for _ in range(2):
            v = v + 0.5 * (0.04 * v**2 + 5 * v + 140 - u + total)
        u = u + a * (b * v - u)
    assert len(firings) > 1000
    assert found == firings


def test_figure1_m_step_by_step():
    """A spike is V > 30, is shown as 30 and leaves c; u follows with the new V."""
    dt, v, u, shown, steps = 0.25, -70.0, -14.0, [], []
    for k in range(400):
        I = 14.0 if k * dt > 10 else 0.0
        v = v + dt * (0.04 * v**2 + 5 * v + 140 - u + I)
        u = u + dt * 0.02 * (0.2 * v - u)
        spike = v > 30
        shown.append(30.0 if spike else v)
        if spike:
            v, u = -65.0, u + 6.0
            steps.append(k)
    pop = iz.Population(1, a=0.02, b=0.2, c=-65.0, d=6.0, V=-70.0, u=-14.0, dt=dt, scheme="izhikevich2004")
    found = pop.run(100.0, iz.Pulses(start=10.25, stop=200.0, amplitude=14.0), record="V")
    assert len(steps) > 3
    assert found.spikes.step.tolist() == steps
    V = found.V[:, 0].copy()
    assert np.all(V[steps] == -65.0)
    V[steps] = 30.0
    np.testing.assert_allclose(V, shown, rtol=1e-9)  # 0.04*V^2 there, 0.04 V V here


def test_noise_of_the_same_std_needs_its_step():
    counts = {}
    for dt, hold in ((1.0, None), (0.1, None), (0.1, 1.0)):
        pop = iz.Population(200, **iz.presets["RS"], scheme="izhikevich2003", dt=dt, seed=1)
        counts[dt, hold] = len(pop.run(300.0, iz.Noise(std=5.0, hold=hold)).spikes)
    assert counts[0.1, None] < 0.1 * counts[1.0, None]
    assert counts[0.1, 1.0] > 0.5 * counts[1.0, None]


def in_octave(tmp_path, *code):
    (tmp_path / "script.m").write_text("\n".join(code))
    command = ["octave-cli", "--no-init-file", "--no-history", "--quiet", "script.m"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    return done.stdout.splitlines(), done.stderr


def script():
    (code,) = [code for language, code in pages.blocks("matlab") if language == "matlab"]
    return code


@WITHOUT
@pytest.mark.peers
def test_the_script_in_octave(tmp_path):
    lines, error = in_octave(tmp_path, script(), "printf('%d %d\\n', firings');")
    assert [tuple(map(int, line.split())) for line in lines] == here(300)[0], error


@WITHOUT
@pytest.mark.peers
def test_terms_of_matlab_run_in_octave(tmp_path):
    tried, terms = [], [code for code in pages.spans("matlab", 0) if not code.startswith("plot(")]  # needs a window
    for n, code in enumerate(terms):
        tried.append(f"try, {code}; printf('ok {n}\\n'); catch e, printf('{n}: %s\\n', e.message); end")
    lines, error = in_octave(tmp_path, script(), *tried)
    assert lines == [f"ok {n}" for n in range(len(terms))], error
