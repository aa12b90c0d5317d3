"""What `progress=True` writes: one line on a terminal, a line each 10 s in a file, and when something is compiled."""

from __future__ import annotations

import io
import os
import re

import pytest

import izhnumba as iz
from izhnumba._engine import progress
from izhnumba._engine.progress import ProgressBar
from izhnumba._numba.compile import _DiskCache, telling


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """The time in seconds, as a list of one number."""
    now = [0.0]
    monkeypatch.setattr(progress, "perf_counter", lambda: now[0])
    return now


@pytest.fixture
def width(monkeypatch):
    """The width of the terminal, as a list of one number."""
    columns = [100]
    monkeypatch.setattr(progress.shutil, "get_terminal_size", lambda: os.terminal_size((columns[0], 24)))
    return columns


def lines_of(stream):
    """What was to be seen in the line of a terminal, one after the other."""
    return [line.rstrip() for line in stream.getvalue().split("\r")[1:]]


def run(bar, clock, seconds, total=1000.0, slices=1000):
    """Tell the bar of a run of a thousand slices that takes so long."""
    for k in range(1, slices + 1):
        clock[0] = k * seconds / slices
        bar(total * k / slices, total)
    bar.close()


def test_a_terminal_shows_one_line(clock, width):
    stream = Terminal()
    run(ProgressBar("ms", stream), clock, 4.0)
    lines = lines_of(stream)
    assert 35 <= len(lines) <= 42
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().endswith("\n")
    assert re.fullmatch(r"\[#{15}\.{15}\] 5[01]\d of 1000 ms, 0.25 x real time, 2 s left", lines[19])
    assert lines[-1] == "[##############################] 1000 of 1000 ms, 0.25 x real time, 4 s"


def test_a_file_gets_a_line_each_ten_seconds(clock):
    stream = io.StringIO()
    run(ProgressBar("ms", stream), clock, 3600.0)
    lines = stream.getvalue().splitlines()
    assert len(lines) <= 361
    assert len(stream.getvalue()) < 25_000
    assert "\r" not in stream.getvalue()
    assert lines[0] == "3 of 1000 ms, 0.000278 x real time, 0:59:49 left"
    assert lines[-1] == "1000 of 1000 ms, 0.000278 x real time, 1:00:00"


def test_a_short_run_leaves_a_file_empty(clock):
    stream = io.StringIO()
    run(ProgressBar("ms", stream), clock, 9.9)
    assert stream.getvalue() == ""


def test_a_stopped_run_says_how_far_it_came(clock, width):
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        clock[0] = 0.0
        bar = ProgressBar("ms", stream)
        for clock[0], done in ((1.0, 10.0), (12.0, 120.0), (12.05, 121.0)):
            bar(done, 1000.0)
        bar.close()
    assert lines_of(terminal)[-1].endswith("] 121 of 1000 ms, 0.01 x real time, 88 s left")
    assert [line.partition(" ")[0] for line in file.getvalue().splitlines()] == ["120", "121"]


@pytest.mark.parametrize("columns", [10, 50, 60, 80, 200])
def test_a_line_is_no_longer_than_the_terminal_is_wide(clock, width, columns):
    width[0] = columns
    stream = Terminal()
    run(ProgressBar("synapses", stream), clock, 500.0, total=1e9)
    assert max(map(len, stream.getvalue().strip().split("\r"))) < columns
    assert ("#" in stream.getvalue()) == (columns >= 50)


def test_what_was_compiled_before_is_no_part_of_the_speed(clock, width):
    stream = Terminal()
    bar = ProgressBar("ms", stream)
    bar.compiling("compiling (first time only) ...")
    for clock[0], done in ((20.0, 1.0), (21.0, 101.0)):
        bar(done, 1001.0)
    assert lines_of(stream)[:2] == ["compiling (first time only) ...", f"[{'.' * 30}] 1 of 1001 ms"]
    assert lines_of(stream)[-1].endswith("101 of 1001 ms, 0.1 x real time, 9 s left")


def test_runs_and_connections_show_it(monkeypatch, width):
    stream = Terminal()
    monkeypatch.setattr(progress.sys, "stderr", stream)
    monkeypatch.setattr(progress, "_ON_TERMINALS", 0.0)
    iz.Population(3).run(10.0, progress=True)
    assert "10 of 10 ms, " in lines_of(stream)[-1]
    net = iz.Network(seed=1)
    cells = net.add(iz.Population(10), name="cells")
    net.connect(cells, cells, iz.FixedOutDegree(2), progress=True)
    assert "] 20 of 20 synapses, 0 s" in lines_of(stream)[-1]
    net.run(5.0, progress=True)
    assert "5 of 5 ms, " in lines_of(stream)[-1]
    shown = stream.getvalue()
    assert shown.count("\n") == 3
    net.run(5.0, progress=False)
    net.run(0, progress=True)
    assert stream.getvalue() == shown


def test_files_and_windowless_programs(capsys, monkeypatch):
    iz.Population(3).run(10.0, progress=True)
    assert capsys.readouterr().err == ""
    for stream in (None, Log()):  # as in pythonw, and as programs with a log of their own
        monkeypatch.setattr(progress.sys, "stderr", stream)
        iz.Population(3).run(10.0, progress=True)


def test_it_says_when_something_is_really_compiled(monkeypatch, width, tmp_path):
    """Here: a kernel that is not found, as if it had never been compiled."""
    stream = Terminal()
    monkeypatch.setattr(progress.sys, "stderr", stream)
    with progress.progress_shown("run.progress", True):
        _DiskCache(tmp_path, "kernel", "key").load_overload("signature", Target())
    assert stream.getvalue() == "\rcompiling (first time only) ...\n"
    with progress.progress_shown("run.progress", True):
        _DiskCache(None, "kernel", "key").load_overload("signature", Target())
    assert stream.getvalue().endswith("\rcompiling (each time, for no folder can be written to keep it) ...\n")


def test_who_listens_first_is_told_alone(width, tmp_path, monkeypatch):
    stream, told = Terminal(), []
    monkeypatch.setattr(progress.sys, "stderr", stream)
    with telling(told.append), progress.progress_shown("run.progress", True):
        _DiskCache(tmp_path, "kernel", "key").load_overload("signature", Target())
    assert (told, stream.getvalue()) == (["compiling (first time only) ..."], "")


class Log:
    def write(self, text):
        raise AssertionError(text)


class Target:
    """Numba's target context, of a machine that there is not."""

    def codegen(self):
        return self

    def magic_tuple(self):
        return ("nowhere", "nothing", "")
