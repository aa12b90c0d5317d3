"""A notebook in a real kernel: cards, the bar of tqdm, and Ctrl-C, after which all is good to go on with."""

from __future__ import annotations

import os
import threading
import time

import pytest

pytestmark = pytest.mark.notebook

START = """
import sys
sys.modules["ipywidgets"] = None  # so that bars are text
import izhnumba as iz
cells = iz.Population(100, **iz.presets["RS"], seed=1)
net = iz.Network(dt=0.5, seed=1)
exc = net.add(iz.Population(80, **iz.presets["RS"]), name="exc")
net.connect(exc, exc, iz.FixedProbability(0.1), weight=0.5)
net.drive(exc, 10.0)
spikes = net.record(exc)
"""


class Notebook:
    """Cells that are run one after the other in one kernel."""

    def __init__(self):
        nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
        pytest.importorskip("ipykernel")
        self.new_cell = nbformat.v4.new_code_cell
        self.nb = nbformat.v4.new_notebook()
        self.error = nbclient.exceptions.CellExecutionError
        self.client = nbclient.NotebookClient(self.nb, timeout=120, kernel_name="python3")

    def run(self, source):
        """The outputs of a new cell."""
        self.nb.cells.append(self.new_cell(source))
        self.client.execute_cell(self.nb.cells[-1], len(self.nb.cells) - 1)
        return self.nb.cells[-1].outputs

    def interrupted(self, source):
        """The error of a cell that is interrupted, as by the button Stop, when its bar shows progress."""
        self.nb.cells.append(cell := self.new_cell(source))
        stopping = threading.Thread(target=self._stop, args=(cell,))
        stopping.start()
        with pytest.raises(self.error):
            self.client.execute_cell(cell, len(self.nb.cells) - 1)
        stopping.join()
        return [output for output in cell.outputs if output.output_type == "error"][0]

    def _stop(self, cell):
        while "real time" not in text(cell.outputs) and not any(one.output_type == "error" for one in cell.outputs):
            time.sleep(0.01)
        os.kill(self.client.km.provisioner.pid, 2)


@pytest.fixture(scope="module")
def notebook():
    notebook = Notebook()
    with notebook.client.setup_kernel():
        notebook.run(START)
        yield notebook


def text(outputs, name="stderr"):
    return "".join(output.text for output in outputs if output.output_type == "stream" and output.name == name)


def html(outputs):
    [shown] = [output.data for output in outputs if "data" in output]
    return shown["text/html"], shown["text/plain"]


def test_progress_is_a_bar_of_tqdm(notebook):
    bar = text(notebook.run("cells.run(2000.0, 10.0, progress=True);"))
    assert "100%|" in bar
    assert "2000 of 2000 ms" in bar
    assert "x real time" in bar
    assert "1000 of 1000 ms" in text(notebook.run("net.run(1000.0, progress=True)"))


def test_objects_show_as_cards_and_as_text(notebook):
    card, plain = html(notebook.run("cells.run(200.0, 10.0)"))
    assert "100 neurons" in card
    assert "data:image/png" in card
    assert plain.startswith("<result: <")
    for name, found in (
        ("cells", "Population"),
        ("net", "Network"),
        ("spikes", "SpikeRecorder"),
        ("exc", "80 neurons"),
    ):
        card, plain = html(notebook.run(name))
        assert found in card
        assert plain == text(notebook.run(f"print(repr({name}))"), "stdout").strip()


@pytest.mark.parametrize(("name", "options"), [("cells", "10.0, progress=True"), ("net", "progress=True")])
def test_an_interrupt_leaves_a_state_to_go_on_from(notebook, name, options):
    before = float(text(notebook.run(f"print({name}.t)"), "stdout"))
    assert notebook.interrupted(f"{name}.run(1e9, {options})").ename == "KeyboardInterrupt"
    after = float(text(notebook.run(f"print({name}.t)"), "stdout"))
    assert before < after < 1e9
    card, _ = html(notebook.run(name))
    assert f"t = {after:.6g} ms" in card
    later = float(text(notebook.run(f"{name}.run(100.0); print({name}.t)"), "stdout"))
    assert later == pytest.approx(after + 100.0, abs=1e-6)
    assert text(notebook.run("print(0 < spikes.t.max() <= net.t)"), "stdout") == "True\n"
