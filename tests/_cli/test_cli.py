"""The command line: what it prints and writes, and one line and exit code 2 for every wrong input."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from command_line import CURRENT, environment, izhnumba, refused

import izhnumba as iz
from izhnumba import cli
from izhnumba._numba import compile


def expected_spikes(**options):
    return iz.Population(2, **iz.presets["RS"], **options).run(100.0, CURRENT).spikes


# --- run ------------------------------------------------------------------------------------------------------------


def test_run_writes_spikes_potentials_and_figure(folder):
    done = izhnumba("run", "--preset", "RS", "--current", "stim.csv", "--dt", 0.1, "--tau-ref", 2,
                    "--out", "spikes.csv", "--record", "V.csv", "--plot", "out.png")  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    spikes = expected_spikes(tau_ref=2.0)
    assert len(spikes) == 4
    assert re.fullmatch(
        r"2 x RS, 100 ms: 4 spikes, \d+[.]\d\d s( with compilation)?\n"
        "rate     20 Hz on average, from 10 to 30 Hz\n"
        "spikes   spikes.csv\nV        V.csv\nfigure   out.png\n",
        done.stdout,
    )
    table = np.genfromtxt("spikes.csv", delimiter=",", names=True)
    np.testing.assert_array_equal(table["i"], spikes.i)
    np.testing.assert_array_equal(table["step"], spikes.step)
    np.testing.assert_allclose(table["t"], spikes.t, rtol=1e-12)
    potentials = np.loadtxt("V.csv", delimiter=",", skiprows=1)
    assert potentials.shape == (1000, 3)
    assert (folder / "out.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(os.listdir()) == ["V.csv", "out.png", "spikes.csv", "stim.csv"]


FORMS = {
    "header.csv": lambda text: "# soma A,soma B\n" + text,
    "quotes.csv": lambda text: '"soma, left",b\n' + text,
    "windows.csv": lambda text: "\ufeff" + text.replace(",", ", ").replace("\n", "\r\n") + "\r\n",
}


@pytest.mark.parametrize("name", [*FORMS, "array.npy"])
def test_run_reads_every_form_of_file(folder, name):
    if name in FORMS:
        (folder / name).write_bytes(FORMS[name]((folder / "stim.csv").read_text()).encode())
    else:
        np.save(name, CURRENT)
    assert cli.main(["run", "--current", name, "--neurons", "2", "--out", "spikes.csv"]) == 0
    table = np.loadtxt("spikes.csv", delimiter=",", skiprows=1)
    np.testing.assert_array_equal(table[:, 1], expected_spikes().step)


def test_run_duration_takes_the_first_rows(folder, capsys):
    assert cli.main(["run", "--current", "stim.csv", "--duration", "50"]) == 0
    assert capsys.readouterr().out.startswith("2 x RS, 50 ms:")


def test_run_takes_scheme_and_dtype(folder, capsys):
    command = ["run", "--current", "stim.csv", "--dt", "0.5", "--scheme", "izhikevich2003", "--dtype", "float32"]
    assert cli.main(command) == 0
    assert capsys.readouterr().out.startswith("2 x RS, 500 ms:")


def test_run_exactly(folder, capsys):
    """Rows of the file are pieces of a current; spike times have all their digits and no steps."""
    CHANGING = CURRENT * np.linspace(0.0, 2.0, 1000)[:, None]
    np.savetxt("stim.csv", CHANGING, delimiter=",")
    command = ["run", "--current", "stim.csv", "--scheme", "exact", "--dt", "0.2", "--duration", "150.125",
               "--tau-ref", "1.5", "--out", "spikes.csv", "--record", "V.csv"]  # fmt: skip
    assert cli.main(command) == 0
    assert capsys.readouterr().out.startswith("2 x RS, 150.125 ms:")
    pop = iz.Population(2, scheme="exact", dt=0.2, tau_ref=1.5, **iz.presets["RS"])
    expected = pop.run(150.125, iz.TimedArray(CHANGING, dt=0.2), record="V")
    head, *rows = (folder / "spikes.csv").read_text().splitlines()
    assert head == "i,t"
    assert [row.split(",") for row in rows] == [[str(i), str(t)] for i, t in zip(*spikes_of(expected), strict=True)]
    assert len(rows) > 3
    samples = np.loadtxt("V.csv", delimiter=",", skiprows=1)
    assert samples.shape == (750, 3)
    np.testing.assert_allclose(samples, np.column_stack([expected.t, expected.V]), rtol=1e-11)


def spikes_of(result):
    return result.spikes.i.tolist(), result.spikes.t.tolist()


def test_an_exact_run_is_as_long_as_its_file(folder, capsys):
    (folder / "three.csv").write_text("0\n10\n20\n")  # 3 * 0.1 > 0.3
    assert cli.main(["run", "--current", "three.csv", "--scheme", "exact", "--dt", "0.1", "--out", "spikes.csv"]) == 0
    assert capsys.readouterr().out.startswith("1 x RS, 0.3 ms: 0 spikes")
    assert (folder / "spikes.csv").read_text() == "i,t\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--duration", "100.001"], "--duration must be at most 100 ms, as long as the file, got 100.001."),
        (["--duration", "-1"], "--duration must be a finite number >= 0 ms, got -1.0."),
        (["--dtype", "float32"], "--dtype must be float64 with the scheme 'exact', got float32."),
        (["--preset", "2007/TC"], "Population.model must have V' quadratic in V,"),
    ],
)
def test_bad_argument_of_an_exact_run(folder, capsys, arguments, message):
    err = refused(capsys, "run", "--current", "stim.csv", "--scheme", "exact", "--dt", "0.1", *arguments)
    assert err.startswith(f"izhnumba run: {message}")
    assert os.listdir() == ["stim.csv"]


def test_a_runaway_is_one_line(folder, capsys):
    np.save("t.npy", np.full((400, 1), 4.0))
    command = ["run", "--preset", "2004/T", "--current", "t.npy", "--scheme", "exact", "--dt", "1", "--out", "o.csv"]
    assert cli.main(command) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "neuron 0 runs away at t = " in err
    assert sorted(os.listdir()) == ["stim.csv", "t.npy"]


def test_run_replaces_an_older_file(folder):
    (folder / "spikes.csv").write_text("old")
    assert cli.main(["run", "--current", "stim.csv", "--out", "spikes.csv"]) == 0
    assert (folder / "spikes.csv").read_text().startswith("i,step,t\n")


def test_run_writes_through_links_and_keeps_the_mode(folder):
    real = folder / "elsewhere" / "real.csv"
    real.parent.mkdir()
    real.write_text("old")
    real.chmod(0o600)
    (folder / "link.csv").symlink_to(real)
    (folder / "dangling.csv").symlink_to("new.csv")
    assert cli.main(["run", "--current", "stim.csv", "--out", "link.csv", "--record", "dangling.csv"]) == 0
    assert (folder / "link.csv").readlink() == real
    assert (folder / "dangling.csv").is_symlink()
    assert real.read_text().startswith("i,step,t\n")
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert (folder / "new.csv").read_text().startswith("t,V0,V1\n")
    assert sorted(os.listdir()) == ["dangling.csv", "elsewhere", "link.csv", "new.csv", "stim.csv"]
    assert os.listdir("elsewhere") == ["real.csv"]


def test_a_pipe_gets_the_output_and_stays(folder):
    os.mkfifo("pipe.csv")
    read = []
    reader = threading.Thread(target=lambda: read.append((folder / "pipe.csv").read_text()), daemon=True)
    reader.start()
    assert cli.main(["run", "--current", "stim.csv", "--out", "pipe.csv"]) == 0
    reader.join(timeout=60)
    assert read[0].startswith("i,step,t\n")
    assert stat.S_ISFIFO(os.stat("pipe.csv").st_mode)
    assert sorted(os.listdir()) == ["pipe.csv", "stim.csv"]


@pytest.mark.skipif(not os.path.exists("/proc/self/fd/1"), reason="needs Linux")
def test_standard_output_can_be_a_file(folder):
    done = izhnumba("run", "--current", "stim.csv", "--out", "/proc/self/fd/1")  # where /dev/stdout leads to
    assert (done.returncode, done.stderr) == (0, "")
    head, *rows, last, rate, name = done.stdout.splitlines()
    assert (head, len(rows)) == ("i,step,t", len(expected_spikes().i))
    assert last.startswith("2 x RS")
    assert (rate.split()[0], name) == ("rate", "spikes   /proc/self/fd/1")


def npy_head(dtype, shape):
    """An npy file that declares this and holds nothing."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(118) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


FILES = {
    "empty.csv": ("", "empty.csv: must hold at least one row of numbers, got none."),
    "header.csv": ("a,b\n", "header.csv: must hold at least one row of numbers, got none."),
    "ragged.csv": ("1,2\n3,4\n5\n", "ragged.csv, line 3: must have 2 columns like line 1, got 1."),
    "gap.csv": ("1,2\n\n3,4\n", "gap.csv, line 2: must have 2 columns like line 1, got 1."),
    "missing.csv": ("1\n\n3\n", "missing.csv, line 2, column 1: must be a finite number, got ''."),
    "text.csv": ("a,b\n1,2\n3,oops\n", "text.csv, line 3, column 2: must be a finite number, got 'oops'."),
    "more.csv": ("a,b,c\n1,2\n", "more.csv, line 1: must have 2 labels like the columns of line 2, got 3."),
    "note.csv": ("# a note\n1,2\n# another\n3\n", "note.csv, line 4: must have 2 columns like line 2, got 1."),
    "hole.csv": ("1,2\n3,\n", "hole.csv, line 2, column 2: must be a finite number, got ''."),
    "nan.csv": ("a,b\n1,2\n3,nan\n", "nan.csv, line 3, column 2: must be a finite number, got 'nan'."),
    "inf.csv": ("1,2\n-inf,2\n", "inf.csv, line 2, column 1: must be a finite number, got '-inf'."),
    "binary.csv": (
        b"\x89PNG\xff\x00\xfe",
        "binary.csv: must be text in UTF-8, got other bytes. Save it as CSV in UTF-8.",
    ),
    "text.npy": ("1,2\n", "text.npy: must be a .npy file of numbers, got one that is no npy file."),
    "huge.npy": (
        npy_head("<f8", (10**13, 20)),
        "huge.npy: must be a .npy file of numbers, got one that declares 1600000000000000 bytes and holds 0.",
    ),
    "object.npy": (
        npy_head("|O", (3,)) + bytes(24),
        "object.npy: must be a .npy file of numbers, got one that has elements object in shape (3,), of which nothing "
        "can be made.",
    ),
    "deep.npy": (npy_head("<f8", "(" * 2000), "deep.npy: must be a .npy file of numbers, got one that is no npy file."),
    "zip.npy": (b"PK\x03\x04", "zip.npy: must be a .npy file of numbers, got one that is no npy file."),
}


@pytest.mark.parametrize("name", FILES)
def test_bad_file_is_one_line_and_leaves_nothing(folder, capsys, name):
    content, message = FILES[name]
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    err = refused(capsys, "run", "--current", name, "--out", "spikes.csv")
    assert err == f"izhnumba run: {message}\n"
    assert sorted(os.listdir()) == sorted([name, "stim.csv"])


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 3, 4)), "must hold real numbers of shape (steps, neurons), got float64 of shape (2, 3, 4)"),
        (np.array([["a"]]), "must hold real numbers of shape (steps, neurons), got <U1 of shape (1, 1)"),
        (np.zeros((0, 3)), "must hold at least one row of numbers, got none"),
        (np.array([[1.0, 2.0], [3.0, np.nan]]), "bad.npy must be finite, got nan at index (1, 1)"),
    ],
)
def test_bad_npy(folder, capsys, array, message):
    np.save("bad.npy", array)
    assert message in refused(capsys, "run", "--current", "bad.npy")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--current", "nowhere.csv"], "nowhere.csv: No such file or directory"),
        (["--current", "10.5"], "10.5: --current must be a file. One with this number alone holds for --duration."),
        (["--current", "."], "Is a directory"),
        (["--neurons", "3"], "stim.csv: must have 3 columns, one per neuron, got 2"),
        (["--preset", "RSS"], "izhnumba run: --preset must be a known name, got 'RSS'. Did you mean 'RS'?"),
        (["--scheme", "eulr"], "izhnumba run: --scheme must be a known name, got 'eulr'. Did you mean 'euler'?"),
        (["--dtype", "float16"], "float16"),
        (["--dt", "0"], "izhnumba run: --dt must be a finite number >"),
        (["--dt", "nan"], "izhnumba run: --dt must be a finite number >"),
        (["--dt", "fast"], "argument --dt: invalid float value: 'fast'"),
        (["--tau-ref", "-1"], "izhnumba run: --tau-ref must be >= 0 ms, got -1.0."),
        (["--duration", "100.05"], "--duration must be "),
        (["--duration", "200"], "--duration must be at most 100 ms"),
        (["--duration", "-1"], "--duration must be "),
        (["--out", "nowhere/spikes.csv"], "nowhere/spikes.csv: must be in a folder that exists and can be written."),
        (["--out", "stim.csv/x"], "stim.csv/x: must be in a folder that exists and can be written."),
        (["--out", "."], "must be a file that can be written"),
        (["--out", "stim.csv"], "must be different files"),
        (["--out", "same.csv", "--record", "./same.csv"], "must be different files"),
        (["--plot", "figure.nope"], "figure.nope"),
    ],
)
def test_bad_argument_is_one_line_and_leaves_nothing(folder, capsys, arguments, message):
    before = (folder / "stim.csv").read_bytes()
    given = arguments if "--current" in arguments else ["--current", "stim.csv", *arguments]
    given = given if "--out" in given else [*given, "--out", "spikes.csv"]
    assert message in refused(capsys, "run", *given)
    assert os.listdir() == ["stim.csv"]
    assert (folder / "stim.csv").read_bytes() == before


@pytest.mark.parametrize("module", ["izhnumba", "izhnumba.cli"])
def test_alone_it_prints_its_help(module):
    done = subprocess.run([sys.executable, "-m", module], capture_output=True, text=True, env=environment())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: izhnumba [-h]")
    for command in ("demo", "run", "presets", "info", "compile"):
        assert f"\n    {command} " in done.stdout
    assert "Exit codes: 0 done, as is this help, 1 a simulation failed, 2 wrong input" in done.stdout


@pytest.mark.parametrize("arguments", [["rum"], ["run"], ["run", "--current"], ["demo", "--duration", "-5"]])
def test_bad_command_line(capsys, arguments):
    refused(capsys, *arguments)


def test_a_loop_of_links_is_no_output(folder, capsys):
    (folder / "a.csv").symlink_to("b.csv")
    (folder / "b.csv").symlink_to("a.csv")
    err = refused(capsys, "run", "--current", "stim.csv", "--out", "a.csv")
    assert err == "izhnumba run: a.csv: must be a file that can be written.\n"
    assert (folder / "a.csv").is_symlink()


def test_current_too_large_for_the_dtype_names_the_option(folder, capsys):
    (folder / "big.csv").write_text("1e39\n")
    err = refused(capsys, "run", "--current", "big.csv", "--dtype", "float32")
    assert "run: --current must be at most 3.40282e+38 in size (float32), got 1e+39" in err


@pytest.mark.filterwarnings("always")
def test_warning_names_the_option(folder, capsys):
    command = ["run", "--current", "stim.csv", "--duration", "2", "--dt", "2", "--scheme", "izhikevich2003"]
    assert cli.main([*command, "--dtype", "float32"]) == 0
    assert capsys.readouterr().err.startswith("izhnumba: warning: --dt = 2 ms is too large for the scheme 'izhikevich")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seed", "-1"], "--seed must be a whole number >= 0, got -1."),
        (["--plot", "figure"], "figure: file type must be a known name, got ''. Known:"),
    ],
)
def test_bad_argument_of_demo(folder, capsys, arguments, message):
    assert refused(capsys, "demo", *arguments).startswith(f"izhnumba demo: {message}")
    assert os.listdir() == ["stim.csv"]


def test_exit_code_and_stderr_of_a_process(folder):
    done = izhnumba("run", "--current", "nowhere.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "izhnumba run: nowhere.csv: No such file or directory\n"


def test_ctrl_c_leaves_nothing(folder):
    np.save("long.npy", np.full((2_000_000, 20), 10.0, dtype=np.float32))
    command = [sys.executable, "-m", "izhnumba.cli", "run", "--current", "long.npy", "--record", "V.csv"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment())
    while process.poll() is None and len(os.listdir()) < 3:  # until its scratch file appears
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    err = process.communicate(timeout=60)[1]
    assert (process.returncode, err) == (130, "izhnumba run: interrupted, no file was written.\n")
    assert sorted(os.listdir()) == ["long.npy", "stim.csv"]


def test_failed_simulation_is_one_line_and_leaves_nothing(folder, capsys):
    np.save("huge.npy", np.full((10, 1), 1e30))  # its square in the second half step is infinite
    command = [
        "run",
        "--current",
        "huge.npy",
        "--scheme",
        "izhikevich2003",
        "--dtype",
        "float32",
        "--out",
        "spikes.csv",
    ]
    assert cli.main(command) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "V became non-finite in 1 of 1 neuron" in err
    assert "reset()" not in err  # of the Python API
    assert sorted(os.listdir()) == ["huge.npy", "stim.csv"]


def test_it_says_once_when_something_is_compiled(folder, capsys, monkeypatch):
    """An empty cache is not asked for: compiling takes seconds. It is what happens where a kernel is not found."""
    dispatcher = iz.Population.run

    def run(population, *arguments, **options):
        for tell in compile._told * 2:
            tell("compiling (first time only) ...")
        return dispatcher(population, *arguments, **options)

    monkeypatch.setattr(iz.Population, "run", run)
    assert cli.main(["run", "--current", "stim.csv"]) == 0
    assert capsys.readouterr().err == "izhnumba: compiling (first time only) ...\n"
    assert not compile._told
