"""What notebooks show: `_repr_html_` of all that a user holds is escaped, small, whole HTML with units and counts, and
looking changes nothing."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from html import unescape
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

import izhnumba as iz
from izhnumba._base import svg
from izhnumba._base.html import card, span, table

EVIL = "<script>alert(1)</script>&\"'"
SMALL = 20_000  # bytes
TAGS = {"style", "div", "b", "table", "thead", "tbody", "tr", "th", "td", "svg", "path", "text", "image"}


class Looked(HTMLParser):
    """Tags in order, checked to be closed, and the text between them."""

    def __init__(self, source):
        super().__init__()
        self.open, self.tags, self.cells, self.text = [], [], [], ""
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.tags.append(tag)
        assert not [name for name, _ in attributes if name.startswith("on")]

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["td"]:
            self.cells.append(data)
        if self.open[-1:] != ["style"]:
            self.text += data + "\n"


def look(thing):
    """Its HTML, parsed, after all that must hold for each."""
    before = repr(thing)
    source = thing._repr_html_()
    looked = Looked(source)
    assert len(source.encode()) < SMALL
    assert set(looked.tags) <= TAGS
    assert repr(thing) == before
    for picture in re.findall("<svg.*?</svg>", source):
        ElementTree.fromstring(picture)
    looked.source = source
    return looked


def dots(source):
    """The shades (rows, columns) of each raster in some HTML, decoded by the format of PNG."""
    found = []
    for text in re.findall('base64,([^"]*)', source):
        data = base64.b64decode(text)
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        chunks, at = {}, 8
        while at < len(data):
            size, name = struct.unpack(">I4s", data[at : at + 8])
            chunks[name] = data[at + 8 : at + 8 + size]
            assert struct.unpack(">I", data[at + 8 + size : at + 12 + size]) == (zlib.crc32(name + chunks[name]),)
            at += 12 + size
        columns, rows, *form = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
        assert form == [4, 3, 0, 0, 0]
        lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(rows, 1 + columns // 2)
        assert not lines[:, 0].any()
        found.append(np.stack([lines[:, 1:] >> 4, lines[:, 1:] & 15], axis=-1).reshape(rows, columns))
    return found


@pytest.fixture(scope="module")
def ran():
    pop = iz.Population(3, a=0.02, b=0.2, c=[-65.0, -55.0, -50.0], d=[8.0, 4.0, 2.0], u="nullcline", name=EVIL, seed=1)
    return pop, pop.run(200.0, I=10.0, record=["V", "u"], every=1.0)


@pytest.fixture(scope="module")
def net():
    net = iz.Network(dt=0.5, seed=1)
    exc = net.add(iz.Population(80, **iz.presets["RS"]), name="exc" + EVIL)
    inh = net.add(iz.Population(20, **iz.presets["FS"]), name="inh")
    source = net.add(iz.PoissonSource(10, 50.0), name="thalamus" + EVIL)
    stdp = iz.STDP(w_max=4.0)
    net.connect(exc, inh, iz.FixedProbability(0.5), weight=2.0, delay=iz.Uniform(1.0, 5.0), plasticity=stdp, name=EVIL)
    net.connect(source, exc, iz.AllToAll(), weight=0.5, receptor=iz.AMPA())
    net.connect(exc + inh, inh, iz.FixedInDegree(3), weight=0.5, name="joined")
    net.drive(exc, 10.0, name="drive" + EVIL)
    net.drive(exc + inh, np.arange(100.0) / 10)
    net.record(exc + inh, "spikes", name="both")
    for what in ("spikes", "rate", ["V", "u"], iz.Mean("V"), lambda cells: cells.V.max()):
        net.record(exc, what, **({} if what == "spikes" else {"every": 1.0}))
    net.record(next(iter(net.synapses.values())), "weight", every=5.0)
    net.run(100.0)
    return net


def test_population_shows_values_with_units_and_its_last_raster(ran):
    pop, result = ran
    looked = look(pop)
    rows = [looked.cells[k : k + 4] for k in range(0, len(looked.cells), 4)]
    assert ["c", "-65 to -50", "mV", "V after a spike"] in rows
    assert ["a", "0.02", "1/ms", "rate of recovery"] in rows
    assert "tau_ref" not in looked.cells
    assert "3 neurons of Izhikevich" in looked.text
    assert "t = 200 ms" in looked.text
    [shown] = dots(looked.source)
    assert shown.shape[0] == 3
    for i in range(3):  # from bottom to top
        columns = np.unique((result.spikes.of(i) * 320 / 200.0).astype(int).clip(0, 319))
        assert np.flatnonzero(shown[2 - i]).tolist() == columns.tolist()


def test_parameters_that_every_model_has_are_shown_where_they_are_set():
    cells = look(iz.Population((2, 3), batch=4, V_min=-90.0, tau_ref=[[1.0] * 3, [2.0] * 3])).cells
    assert cells[cells.index("V_min") :][:3] == ["V_min", "-90", "mV"]
    assert cells[cells.index("tau_ref") :][:3] == ["tau_ref", "1 to 2", "ms"]
    assert "6 neurons (2 x 3), a batch of 4 of Izhikevich" in look(iz.Population((2, 3), batch=4)).text


def test_result_and_spikes(ran):
    _, result = ran
    looked = look(result)
    assert f"{len(result.spikes)} spikes of 3 neurons, 0 to 200 ms" in looked.text
    assert "V: 200 samples, 1 to 200 ms, shape (200, 3)" in looked.text
    assert {"V (mV)", "u (mV/ms)", "50"} <= set(looked.text.split("\n"))
    assert looked.source.count("<svg") == 3
    assert len(dots(look(result.spikes).source)) == len(dots(look(result.spikes[50.0:100.0]).source)) == 1
    assert dots(look(iz.Population(2).run(10.0).spikes).source) == []


def test_every_part_of_a_network_has_a_card(net):
    looked = look(net)
    for text in ("100 neurons", "exp_euler, dt 0.5 ms, seed 1", "t = 100 ms", "PoissonSource", "STDP", " mV", "1 to 5"):
        assert text in looked.text
    assert {"exc" + EVIL, "thalamus" + EVIL, "drive" + EVIL, "0.5 1/ms"} <= set(looked.cells)
    spiking = {repr(one.source): len(one) for one in net.recorders.values() if isinstance(one, iz.SpikeRecorder)}
    assert len(dots(looked.source)) == sum(n > 0 for n in spiking.values())  # each population once
    assert len(re.findall("<text", looked.source)) == len(spiking) + 2  # also the silent ones have a label
    for name, recorder in net.recorders.items():
        assert name.partition("<")[0] in look(recorder).text
        assert f" of {recorder.source!r}"[:40] in look(recorder).text
    for part in [*net.populations.values(), *net.synapses.values(), *net.drives.values()]:
        look(part)


def test_what_joins_populations_has_cards():
    net = iz.Network(seed=1)
    exc, inh = net.add(iz.Population(8), name="exc"), net.add(iz.Population(2), name="inh")
    assert look(exc + inh).cells == ["exc", "8", "0 to 7", "Izhikevich", "inh", "2", "8 to 9", "Izhikevich"]
    assert "24 synapses from exc + inh to exc" in look(net.connect(exc + inh, exc, iz.FixedInDegree(3))).text
    assert "array of shape (10,), 1 to 10" in look(net.drive(exc + inh, np.arange(10.0) + 1)).text
    assert "spikes of exc + inh" in look(net.record(exc + inh)).text
    assert look(iz.SpikeSource([0, 1], [1.0, 2.0], n=2)).text.count("in no network yet") == 1


@pytest.mark.parametrize("what", ["spikes", "V"])
def test_recorders_of_files_are_not_read(tmp_path, what):
    net = iz.Network(seed=1)
    cells = net.add(iz.Population(3))
    options = {} if what == "spikes" else {"every": 1.0}
    recorder = net.record(cells, what, to=tmp_path / "rows", **options)
    net.run(2.0)
    recorder._keeps.rows = None  # to read would raise
    looked = Looked(recorder._repr_html_())
    assert f"in the file {tmp_path / 'rows'}"[:100] in looked.text


def test_recorders_tell_their_window():
    net = iz.Network(seed=1)
    assert "of population, 5 to 10 ms" in look(net.record(net.add(iz.Population(3)), start=5.0, stop=10.0)).text


def test_text_is_escaped_and_cut():
    source = card(EVIL, EVIL, [EVIL, "x" * 1000], table((EVIL,), [(EVIL,)] * 9))
    assert "<script" not in source
    assert unescape(source).count("alert(1)") == 3 + 1 + 8
    assert "… and 1 more" in source
    assert len(source) < 3000
    assert table(("a", "b"), []) == ""


def test_span():
    assert [span(np.array(x)) for x in (2.0, [], [1.0, 3.5], [np.nan], [-np.inf, 1e-7])] == [
        "2", "", "1 to 3.5", "nan", "-inf to 1e-07"
    ]  # fmt: skip


def test_a_million_spikes_are_as_small(monkeypatch):
    rng = np.random.default_rng(1)
    t, rows = np.sort(rng.uniform(0.0, 1e4, 1_000_000)), rng.integers(0, 1000, 1_000_000)
    source = svg.raster([svg.Spiking("cells", rows, t, 1000)], 0.0, 1e4)
    [shown] = dots(source)
    assert shown.shape == (64, 320)
    assert shown.min() > 0
    assert len(source) < SMALL - 5000
    assert [svg.thinned(n) for n in (0, 1, 1_000_000, 1_000_001)] == [1, 1, 1, 2]
    many = iz.Population(2, **iz.presets["FS"]).run(100.0, I=10.0).spikes
    monkeypatch.setattr(svg, "_MOST", 3)
    assert len(dots(many._repr_html_())) == 1


def test_groups_share_the_height_and_none_is_hidden():
    one = np.zeros(1, np.int64)
    groups = [svg.Spiking("many", one, one + 1.0, 10_000), svg.Spiking("few", one, one + 1.0, 1)]
    shown = dots(svg.raster(groups, 0.0, 2.0))
    assert [image.shape[0] for image in shown] == [64, 1]
    assert [np.argwhere(image).tolist() for image in shown] == [[[63, 160]], [[0, 160]]]


def test_traces_keep_their_peaks_and_skip_what_is_not_finite():
    t = np.arange(1000.0)
    values = np.zeros((1000, 2))
    values[500, 0], values[:, 1] = 7.0, np.nan
    source = svg.traces(t, values, "x (mV)")
    first, second = re.findall('<path d="M([^"]*)" fill="none"', source)
    points = np.array(first.split(), float).reshape(-1, 2)
    assert len(points) == 240
    assert points[:, 1].min() == 6.0
    assert second == ""
    assert re.findall(">([^<]*)</text>", source) == ["x (mV)", "7", "0", "0 ms", "999 ms"]
    assert svg.traces(t[:0], values[:0], "x") == svg.traces(t, values * np.nan, "x") == ""
