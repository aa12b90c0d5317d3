"""`izhnumba run` with parameters of one's own, from standard input, and into a page."""

from __future__ import annotations

import base64
import html.parser
import io
import re
import sys

import numpy as np
import pytest
from command_line import CURRENT, refused

import izhnumba as iz
from izhnumba import cli
from izhnumba.cli import _figures, _neurons

pytestmark = pytest.mark.usefixtures("folder")


def table(name):
    return np.loadtxt(name, delimiter=",", skiprows=1, ndmin=2)


def run(*arguments):
    """The spikes, as (neuron, step), of a run that must succeed."""
    assert cli.main(["run", "--current", "stim.csv", "--out", "spikes.csv", *map(str, arguments)]) == 0
    return table("spikes.csv")[:, :2].astype(int).T.tolist()


def spikes_of(pop):
    spikes = pop.run(1000 * pop.dt, CURRENT).spikes
    return [spikes.i.tolist(), spikes.step.tolist()]


# --- parameters and models --------------------------------------------------------------------------------------------


def test_parameters_of_ones_own(capsys):
    given = iz.presets["RS"] | dict(a=[0.02, 0.1], b=0.21, c=[-65.0, -50.0], d=2.0, V=-60.0, u="nullcline", V_th=25.0)
    found = run("--a", "0.02,0.1", "--b", 0.21, "--c=-65,-50", "--d", 2, "--V", "-60", "--u", "nullcline", "--V_th", 25)
    assert found == spikes_of(iz.Population(2, **given))
    assert len(found[0]) > 10
    assert capsys.readouterr().out.startswith("2 x RS with its own V, u, a, b, c, d, V_th, 100 ms: ")


def test_a_model_in_place_of_a_preset(capsys):
    found = run("--model", "Izhikevich2007", "--dt", 0.5, "--vt", -58, "--k", 3, "--V-min", -70)
    expected = spikes_of(iz.Population(2, iz.Izhikevich2007, dt=0.5, vt=-58.0, k=3.0, V_min=-70.0))
    assert found == expected
    assert len(found[0]) > 2
    assert capsys.readouterr().out.startswith("2 x Izhikevich2007 with its own k, vt, V_min, 500 ms: ")


def test_every_model_and_parameter_has_its_option():
    public = {name: one for name, one in vars(iz).items() if isinstance(one, iz.Model)}
    assert public == _neurons.MODELS
    arguments = cli._parser().parse_args(["run", "--current", "x"])
    for model in public.values():
        assert set(vars(arguments)) >= {*model.variables, *model.parameters, "V_min", "tau_ref"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--k", "3"], "--k must be left out with --preset RS, which has V, u, a, b, c, d, V_th, k2, k1, k0, V_min."),
        (
            ["--model", "Izhikevich2007", "--V-th", "3"],
            "--V_th must be left out with --model Izhikevich2007, which has V",
        ),
        (["--model", "izhikevich"], "--model must be a known name, got 'izhikevich'. Did you mean 'Izhikevich'?"),
        (["--a", "fast"], "argument --a: must be a number, or one per neuron separated by commas, got 'fast'"),
        (["--u", "null"], "argument --u: must be a number, or one per neuron separated by commas, got 'null'"),
        (
            ["--a", "1,2,3"],
            "--a must have shape () or (2,), got (3,). Pass one value for all neurons or one per neuron.",
        ),
        (["--a", "nan"], "--a must be finite, got nan."),
        (["--C", "0", "--preset", "2007/RS"], "--C must be > 0 pF, got 0.0."),
        (["--preset", "RS", "--model", "Izhikevich"], "argument --model: not allowed with argument --preset"),
        (["--html", "stim.csv"], "--current, --out, --record, --plot and --html must be different files."),
        (["--html", "-"], "-: must be the name of a file. For standard output write /dev/stdout."),
        (["--durations", "5"], "unrecognized arguments: --durations 5. Did you mean '--duration'?"),
        (["--preset=RS", "--tauref=2"], "unrecognized arguments: --tauref=2. Did you mean '--tau-ref'?"),
        (["stim.csv"], "unrecognized arguments: stim.csv\n"),
    ],
)
def test_bad_argument(capsys, arguments, message):
    err = refused(capsys, "run", "--current", "stim.csv", *arguments)
    assert re.sub(r"^izhnumba( run)?: ", "", err).startswith(message)


# --- standard input ---------------------------------------------------------------------------------------------------


@pytest.fixture
def stdin(monkeypatch):
    def put(content):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return put


def test_currents_from_standard_input(stdin, capsys):
    expected = run()
    with open("stim.csv", "rb") as file:
        stdin(b"\xef\xbb\xbft (ms),left,right\r\n" + b"".join(b"%g,%b" % (k / 10, line) for k, line in enumerate(file)))
    assert run("--current", "-") == expected
    assert "\ntime     column 1 of standard input, 't (ms)', 0 to 99.9 ms\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "standard input: must hold at least one row of numbers, got none."),
        (b"1,2\n3,x\n", "standard input, line 2, column 2: must be a finite number, got 'x'."),
        (b"\x93NUMPY\x01\x00", "standard input: must be text in UTF-8, got other bytes. Save it as CSV in UTF-8."),
    ],
)
def test_bad_standard_input(stdin, capsys, content, message):
    stdin(content)
    assert refused(capsys, "run", "--current", "-") == f"izhnumba run: {message}\n"


def test_no_standard_input(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", None)
    message = "standard input: must be open for --current -, got none."
    assert refused(capsys, "run", "--current", "-") == f"izhnumba run: {message}\n"


# --- words and the page -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ("0,0", ["2 x RS, 50 ms: 0 spikes, ", "rate     0 Hz on average, 2 neurons without spikes"]),
        ("10", ["1 x RS, 50 ms: 2 spikes, ", "rate     40 Hz"]),
        ("10,10", ["2 x RS, 50 ms: 4 spikes, ", "rate     40 Hz on average"]),
    ],
)
def test_summary(folder, capsys, rows, lines):
    (folder / "stim.csv").write_text(rows)
    assert cli.main(["run", "--current", "stim.csv", "--duration", "50"]) == 0
    found = capsys.readouterr().out.splitlines()
    assert found[0].startswith(lines[0])
    assert found[1:] == lines[1:]


class Page(html.parser.HTMLParser):
    """Text of a page by kind of cell, and every address in it."""

    def __init__(self, text):
        super().__init__()
        self.texts, self.addresses, self.open = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "srcset", "action")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.texts).split())


def test_a_page_with_everything_in_it(folder, capsys):
    run("--a", "0.02,0.1", "--html", "a report.html")
    assert capsys.readouterr().out.endswith("page     a report.html\n")
    text = (folder / "a report.html").read_text("utf-8")
    page = Page(text)
    assert {address.partition(",")[0] for address in page.addresses} == {"data:", "data:image/png;base64"}
    assert not re.search(r"https?://|@import|url\(|<script", text)  # nothing is fetched
    picture = base64.b64decode(page.addresses[-1].partition(",")[2])
    assert picture.startswith(b"\x89PNG")
    spikes = iz.Population(2, **iz.presets["RS"] | {"a": [0.02, 0.1]}).run(100.0, CURRENT).spikes
    first, last = (int(np.sum(spikes.i == i)) for i in (0, 1))
    for part in (
        "2 x RS with its own a, 100 ms", f"{len(spikes)} spikes, {len(spikes) * 5} Hz on average",
        "neuron mean input (mV/ms) range spikes rate (Hz) first spike (ms)",
        f"0 10 10 {first} {first * 10} {spikes.t[0]:.6g} 1 4 4 {last} {last * 10}",
        "V at the start -65 mV membrane potential", "a 0.02, 0.1 1/ms rate of recovery", "V_th 30 mV",
        "tau_ref 0 ms", "preset RS, regular spiking. E. M. Izhikevich", "scheme exp_euler. ", "dt 0.1 ms",
        "input stim.csv: 1000 rows, 2 neurons, in mV/ms",
        "izhnumba run --current stim.csv --out spikes.csv --a 0.02,0.1 --html 'a report.html'",
        f"izhnumba {iz.__version__}",
    ):  # fmt: skip
        assert part in page.words


def test_a_page_of_many_neurons_and_no_spikes(folder):
    np.save("many.npy", np.zeros((2, 300)))
    assert cli.main(["run", "--current", "many.npy", "--html", "r.html", "--scheme", "exact", "--dt", "1"]) == 0
    page = Page((folder / "r.html").read_text("utf-8"))
    assert "0 spikes, 0 Hz on average, 300 neurons without spikes" in page.words
    assert "199 0 0 0 0 none 200 of 300" in page.words
    assert "dt 1 ms (rows and samples)" in page.words


def test_a_page_escapes_what_is_typed(folder):
    name = "<b>&.csv"
    (folder / name).write_text("10\n")
    assert cli.main(["run", "--current", name, "--duration", "0", "--html", "r.html"]) == 0
    assert "<b>" not in (folder / "r.html").read_text("utf-8")
    assert f"input {name}: 1 row, 1 neuron" in Page((folder / "r.html").read_text("utf-8")).words


def test_a_page_needs_matplotlib(capsys, monkeypatch):
    monkeypatch.setattr(_figures, "HAVE_MATPLOTLIB", False)
    err = refused(capsys, "run", "--current", "stim.csv", "--html", "r.html")
    assert err == f"izhnumba run: --html: {_figures.NO_MATPLOTLIB}\n"
