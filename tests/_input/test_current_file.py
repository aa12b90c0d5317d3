"""Files of currents: each form of text, the time column and what is said of it, and how wrong ones are refused."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pytest

import izhnumba as iz
from izhnumba import cli
from izhnumba._input.current_file import read_currents

DT = 0.5
TIMES = DT * np.arange(200)
CURRENTS = np.column_stack([np.full(200, 10.0), 5.0 + 7.0 * (TIMES > 50.0)])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(text, name="x.csv"):
    Path(name).write_bytes(text.encode())
    return name


def command(name, *more):
    return cli.main(["run", "--current", name, "--dt", str(DT), "--out", "spikes.csv", *more])


def spikes():
    table = np.loadtxt("spikes.csv", delimiter=",", skiprows=1, ndmin=2)
    return table[:, 0].astype(int).tolist(), table[:, 1].astype(int).tolist()


def expected(current=CURRENTS, T=100.0):
    found = iz.Population(2, **{**iz.presets["RS"]}, dt=DT).run(T, current).spikes
    return found.i.tolist(), found.step.tolist()


def rows(*columns, mark=",", decimal=".", end="\n"):
    lines = [mark.join(f"{x:.12g}".replace(".", decimal) for x in row) for row in zip(*columns, strict=True)]
    return end.join(lines) + end


A, B = CURRENTS.T
HEADS = [
    "t",
    "time",
    "time_ms",
    "T",
    "Time",
    "TIME (ms)",
    "t (ms)",
    "t/ms",
    "time [ms]",
    "t[ms]",
    "# t",
    '"time"',
    "% t",
    "time.ms",
    "time-ms",
    "t:ms",
    "time in ms",
    "TIME [MS]",
    "Time_(ms)",
]
FORMS = {
    **{f"head {head}": (f"{head},I0,I1\n" + rows(TIMES, A, B), head.strip('#%" ')) for head in HEADS},
    "seconds": ("time [s],a,b\n" + rows(TIMES / 1e3, A, B), "time [s]"),
    "microseconds": ("t (µs),a,b\n" + rows(TIMES * 1e3, A, B), "t (µs)"),
    "a comma in the label": ('"Time, ms",a,b\n' + rows(TIMES, A, B), "Time, ms"),
    "a mark at the end": ("t,I0,I1,\n" + rows(TIMES, A, B, end=",\n"), "t"),
    "tabs at the end": ("t\tI0\tI1\t\n" + rows(TIMES, A, B, mark="\t", end="\t\r\n"), "t"),
    "semicolons at the end": ("t;I0;I1; \n\n" + rows(TIMES, A, B, mark=";", end=";\n"), "t"),
    "units in a comment": ("t,I0,I1\n# ms,pA,pA\n" + rows(TIMES, A, B), "t"),
    "semicolons": ("t;I0;I1\n" + rows(TIMES, A, B, mark=";"), "t"),
    "decimal commas": ("t;I0;I1\n" + rows(TIMES, A, B, mark=";", decimal=","), "t"),
    "tabs": ("t (ms)\tI0\tI1\n" + rows(TIMES, A, B, mark="\t"), "t (ms)"),
    "tabs, decimal commas": ("t\tI0\tI1\n" + rows(TIMES, A, B, mark="\t", decimal=","), "t"),
    "blanks": ("t  I0  I1\n" + rows(TIMES, A, B, mark="  "), "t"),
    "comma in quotes": ('"time",a,"soma, left"\n' + rows(TIMES, A, B), "time"),
    "BOM and CRLF": ("\ufefft,I0,I1\r\n" + rows(TIMES, A, B, end="\r\n"), "t"),
    "comments": ("# from rig 3\n\n% 2024\nt,I0,I1\n# on\n" + rows(TIMES, A, B) + "# end\n", "t"),
    "head in a comment": ("# from rig 3, a good one\n# time I0 I1\n" + rows(TIMES, A, B, mark=" "), "time"),
    "from dt on": ("t,I0,I1\n" + rows(TIMES + DT, A, B), "t"),
    "an excerpt": ("t,I0,I1\n" + rows(TIMES + 1e4, A, B), "t"),
    "inexact": ("t,I0,I1\n" + rows(TIMES + 0.03 * np.sin(TIMES), A, B), "t"),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_time_is_no_current(form, capsys):
    text, label = FORMS[form]
    assert command(written(text), "--neurons", "2") == 0
    assert spikes() == expected()
    first, _, time, _ = capsys.readouterr().out.splitlines()
    assert first.startswith("2 x RS, 100 ms: ")
    assert time.startswith(f"time     column 1 of x.csv, {label!r}, ")
    assert time.endswith(" ms")


@pytest.mark.parametrize("head", ["", "ms,a,b\n", ",a,b\n"])
def test_what_rises_by_dt_is_the_time(head, capsys):
    assert command(written(head + rows(TIMES, A, B))) == 0
    assert spikes() == expected()
    line = "time     column 1 of x.csv, which rises by dt (head it 'I' if it is a current), 0 to 99.5 ms"
    assert capsys.readouterr().out.splitlines()[2] == line


def test_what_rises_by_dt_is_the_time_in_an_array_too(capsys):
    np.save("x.npy", np.column_stack([TIMES, A, B]))
    assert command("x.npy") == 0
    assert spikes() == expected()
    assert "\ntime     column 1 of x.npy, which rises by dt, 0 to 99.5 ms\n" in capsys.readouterr().out


@pytest.mark.parametrize("scheme", ["exact", "euler"])
def test_the_time_is_no_current_in_any_scheme(scheme, capsys):
    assert command(written("t,I0,I1\n" + rows(TIMES, A, B)), "--scheme", scheme) == 0
    with_time = Path("spikes.csv").read_text()
    assert command(written("I0,I1\n" + rows(A, B)), "--scheme", scheme) == 0
    assert with_time == Path("spikes.csv").read_text()
    assert len(with_time) > 50


@pytest.mark.parametrize("label", ["I", "I0", "i_1", "I (pA)", "Current", "neuron 0", "cell_0"])
def test_a_current_that_rises_by_dt_is_one(label):
    assert np.array_equal(
        read_currents(*_file(f"{label},other\n" + rows(TIMES, A))).values, np.column_stack([TIMES, A])
    )


@pytest.mark.parametrize("text", ["I\n" + rows(TIMES), rows(TIMES), "soma\n" + rows(TIMES)])
def test_a_column_alone_is_a_current(text):
    found = read_currents(*_file(text))
    assert found.time == ""
    np.testing.assert_array_equal(found.values, TIMES[:, np.newaxis])


def _file(text):
    return Path(written(text)), DT


REFUSED = {
    "other dt": (
        "t,I\n0,1\n1,1\n2,1\n",
        "x.csv: the time in column 1 must rise by --dt, 0.5 ms, got 1 ms. Use --dt 1.",
    ),
    "seconds": (
        "t,I\n0,1\n0.0005,1\n0.001,1\n",
        "x.csv: the time in column 1 must rise by --dt, 0.5 ms, got 0.0005 ms. Name it 't (s)'.",
    ),
    "seconds of another dt": (
        "t (s),I\n0,1\n0.001,1\n0.002,1\n",
        "x.csv: the time in column 1 must rise by --dt, 0.5 ms, got 1 ms. Use --dt 1.",
    ),
    "gap": (
        "# rig\nt,I\n0,1\n0.5,1\n# pause\n2,1\n2.5,1\n",
        "x.csv, line 6, column 1: the time must rise by --dt, 0.5 ms, got 1.5 ms.",
    ),
    "backwards": ("t,I\n0,1\n-0.5,1\n", "x.csv, line 3, column 1: the time must rise by --dt, 0.5 ms, got -0.5 ms."),
    "twice": ("t,I\n0,1\n0.5,1\n0.5,1\n", "x.csv, line 4, column 1: the time must rise by --dt, 0.5 ms, got 0 ms."),
    "nan": ("t,I\n0,1\nnan,1\n", "x.csv, line 3, column 1: must be a finite number, got 'nan'."),
    "alone": ("t\n0\n0.5\n", "x.csv: must hold a column per neuron beside the time, got 't' alone."),
    "not first": ("I,time\n1,0\n1,0.5\n", "x.csv: the time must be column 1, got 'time' as column 2. Put it first."),
    "unit": (
        "time (min),I\n0,1\n1,1\n",
        "x.csv: column 1 must be a time in ms, s or us, got 'time (min)'. Name it 't (ms)', 't (s)' or 't (us)', or "
        "leave it out.",
    ),
    "row numbers": (
        ",I\n0,1\n1,1\n",
        "x.csv: column 1 must have a label like the others, got none. Name it 't' or 'I', or leave row numbers out "
        "(pandas: index=False).",
    ),
    "labels": ("t;I;J\n0;1\n", "x.csv, line 1: must have 2 labels like the columns of line 2, got 3."),
    "two marks": ("1;2\n3,4\n", "x.csv, line 2: must have 2 columns like line 1, got 1."),
    "two decimal marks": ("1.5;2\n3,4;5\n", "x.csv, line 2, column 1: must be a finite number, got '3,4'."),
    "a value missing": ("t,I,J\n0,1,2\n0.5,1,\n", "x.csv, line 3, column 3: must be a finite number, got ''."),
    "labels missing": ("t,I\n0,1,\n", "x.csv, line 1: must have 3 labels like the columns of line 2, got 2."),
    "a label missing": (
        "t,I,,J\n0,1,2,3\n",
        "x.csv, line 1: must hold a label in each column or none, got '' in column 3. Labels begin with a letter.",
    ),
    "a number among labels": (
        "t,I,3\n0,1,2\n",
        "x.csv, line 1: must hold a label in each column or none, got '3' in column 3. Labels begin with a letter.",
    ),
    "a wrong number": ("1.0,abc\n2,3\n", "x.csv, line 1, column 2: must be a finite number, got 'abc'."),
    **{
        f"units in a line of their own, {units}": (
            f"t,I\n{units}\n0,1\n",
            f"x.csv, line 2: must hold numbers, got {units.split(',')[0]!r} below the labels. Write units into the "
            "labels above, as in 't (ms)', or begin this line with #.",
        )
        for units in ("ms,pA", "(ms),(pA)", "[s],")
    },
    "comments alone": ("# nothing\n", "x.csv: must hold at least one row of numbers, got none."),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_a_line_that_says_where(name, capsys):
    text, message = REFUSED[name]
    assert command(written(text)) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"izhnumba run: {message}\n")
    assert os.listdir() == ["x.csv"]


def test_columns_are_counted_without_the_time(capsys):
    assert command(written("t,I\n0,1\n0.5,1\n"), "--neurons", "2") == 2
    assert capsys.readouterr().err == (
        "izhnumba run: x.csv: must have 2 columns, one per neuron, got 1 beside the time.\n"
    )


@pytest.mark.parametrize("text", ["10,4\n", "t,I0,I1\n7,10,4\n", "# a note\n10;4\n"])
@pytest.mark.parametrize("scheme", ["exp_euler", "exact"])
def test_one_row_holds_for_the_duration(text, scheme, capsys):
    assert command(written(text), "--duration", "100", "--scheme", scheme) == 0
    assert capsys.readouterr().out.startswith("2 x RS, 100 ms: ")
    found = iz.Population(2, **iz.presets["RS"], dt=DT, scheme=scheme).run(100.0, [10.0, 4.0]).spikes
    table = np.loadtxt("spikes.csv", delimiter=",", skiprows=1)
    np.testing.assert_array_equal(table[:, 0], found.i)
    np.testing.assert_allclose(table[:, -1], found.t)
    assert len(table) > 3


def test_one_row_of_an_array_holds_for_the_duration():
    np.save("x.npy", [[10.0, 4.0]])
    assert command("x.npy", "--duration", "100") == 0
    assert spikes() == expected([10.0, 4.0])


UNKNOWN = ["ms", "sim_time", "elapsed_ms", "tms", "simtime (ms)", "seconds", "sec", "timestep", "step", "index", "Zeit"]


@pytest.mark.parametrize("label", UNKNOWN)
@pytest.mark.parametrize("start", [0.0, 1.0, 100.0])
def test_what_may_be_a_time_drives_no_neuron_silently(label, start):
    """The label is not known: evenly rising values make it a time of dt, and of another dt a warning."""
    steps = np.arange(9.0)
    assert read_currents(*_file(f"{label},a\n" + rows(start + DT * steps, steps))).values.shape == (9, 1)
    cure = "Leave row numbers out; for times use --dt 0.2 or head it 't (s)', and head a current 'I'."
    for head, which in ((f"{label},a\n", f"column 1, {label!r},"), ("", "column 1")):
        with pytest.warns(UserWarning, match="column 1") as caught:
            assert read_currents(*_file(head + rows(start + 0.2 * steps, steps))).values.shape == (9, 2)
        assert [str(one.message) for one in caught] == [
            f"x.csv: {which} drives neuron 0, but rises by 0.2 in each row like times or row numbers. {cure}"
        ]


def test_what_may_be_a_time_is_told_on_the_command_line(capsys):
    np.save("x.npy", [[0.0, 10.0], [1.0, 10.0], [2.0, 10.0]])
    with warnings.catch_warnings(action="always"):
        assert command("x.npy") == 0
    assert capsys.readouterr().err == (
        "izhnumba: warning: x.npy: column 1 drives neuron 0, but rises by 1 in each row like times or row numbers. "
        "Leave row numbers out; for times use --dt 1.\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "I,J\n0,1\n1,1\n2,1\n",
        "0,1\n1.2345,1\n2.469,1\n",
        "0,1\n1,1\n3,1\n",
        "2,1\n1,1\n0,1\n",
        "0,1\n0,1\n0,1\n",
        "soma\n0\n1\n2\n",
    ],
)
def test_other_currents_are_not(text):
    assert read_currents(*_file(text)).time == ""


@pytest.mark.parametrize("mark", [";", "\t"])
def test_decimal_commas_in_every_number(tmp_path, mark):
    file = tmp_path / "x.csv"
    file.write_text(f"t{mark}I\n0,1{mark}10,5\n0,2{mark}11,5\n0,3{mark}12,5\n")
    assert read_currents(file, 0.1).values.tolist() == [[10.5], [11.5], [12.5]]
