"""Every code block of the site runs; links and images lead somewhere; no page is longer than a reader can scan.

A page's blocks of Python run in order and share their names, in an empty folder: sessions (`>>>`) as doctests, plain
blocks as scripts, and one that begins with `# name.py` as a file of its own in a new process. A page whose code imports
an optional package carries that package's marker. Blocks of shell hold commands of izhnumba, which run too, or lines
that are known here.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import matplotlib as mpl
import pytest

from izhnumba import cli

mpl.use("Agg")
from matplotlib import pyplot as plt

PROJECT = Path(__file__).parent.parent
DOCS = PROJECT / "docs"
BUILT = {"_build", "learn", "gallery", "generated"}
PAGES = sorted(page for page in DOCS.rglob("*.md") if not BUILT & set(page.relative_to(DOCS).parts))
NAMES = [str(page.relative_to(DOCS)) for page in PAGES]
FENCED = re.compile(r"^(?P<fence>```+|:::+)(?P<language>[\w{}-]*)[^\n]*\n(?P<body>.*?)^(?P=fence)\s*$", re.M | re.S)
LONGEST = 200  # lines
MARKERS = {  # marker of the tests that need a package
    **dict.fromkeys(("brian2", "nest", "pyNN"), "peers"),
    **dict.fromkeys(("jax", "optax"), "jax"),
    **dict.fromkeys(("saiunit", "pint", "astropy", "quantities"), "units"),
    **dict.fromkeys(("brainpy", "brainstate", "brainunit"), "brainpy"),
    "elephant": "elephant",
}  # fmt: skip
KNOWN = (  # what lines of shell may begin with beside `izhnumba`: to install, to build, and on other machines
    "python", "py ", ".venv", "pip", "git ", "bash ", "cd ", "export ", "source ", "mkdir ", "cp ", "sbatch ", "srun ",
    "#", "conda ", "rattler-build ", "NUMBA_", "MPLBACKEND", "apt-get ", "asv ",
)  # fmt: skip
NOT_RUN = {"compile", "info", "demo", "explore"}  # take seconds, or open a window; tests/_cli runs them


def blocks(page, *languages):
    """Line number and text of each fenced block in one of these languages."""
    text = page.read_text()
    return [
        (text[: found.start("body")].count("\n"), found["body"])
        for found in FENCED.finditer(text)
        if found["language"] in languages
    ]


def imported(page):
    """Top-level packages that the page's Python imports; those of submodules of ours that need others too."""
    code = "\n".join(body for _, body in blocks(page, "python"))
    names = {name.split(".")[0] for name in re.findall(r"^\W*(?:import|from) ([\w.]+)", code, re.M)}
    return names | set(re.findall(r"(?:izhnumba\.|izhnumba import |iz\.)(jax|brainpy)\b", code))


def marked(page):
    needs = imported(page)
    marks = [getattr(pytest.mark, marker) for name, marker in MARKERS.items() if name in needs]
    missing = sorted(name for name in needs & set(MARKERS) if find_spec(name) is None)
    if missing:
        marks.append(pytest.mark.skip(reason=f"without {', '.join(missing)}"))
    return pytest.param(page, id=str(page.relative_to(DOCS)), marks=marks)


def run_alone(command, **variables):
    """What a command prints that runs in a process of its own, in this folder."""
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "MPLBACKEND": "Agg"} | variables
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with mpl.rc_context():
        yield tmp_path
    plt.close("all")


# Pages of docs/coming_from run in tests/coming_from, where scripts of two simulators are compared.
RUN_HERE = [page for page in PAGES if blocks(page, "python") and page.parent.name != "coming_from"]


@pytest.mark.parametrize("page", [marked(page) for page in RUN_HERE])
def test_the_code_of_a_page_runs(page, elsewhere):
    names = {"__name__": "__main__"}
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for line, body in blocks(page, "python"):
        if body.lstrip().startswith(">>>"):
            session = doctest.DocTestParser().get_doctest(body, names, page.name, str(page), line)
            printed = []
            result = runner.run(session, out=printed.append, clear_globs=False)
            names = session.globs
            assert result.failed == 0, "".join(printed)
        elif body.startswith("# ") and (name := body[2:].split("\n")[0]).endswith(".py"):
            Path(name).write_text(body)
            run_alone([sys.executable, "-W", "error", name])
        else:
            exec(compile("\n" * line + body, str(page), "exec"), names)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "sh", "console")], ids=lambda page: page.stem)
def test_commands_of_a_page_are_known_and_ours_run(page, elsewhere, capsys):
    (elsewhere / "stim.csv").write_text("10\n" * 100)
    for _, body in blocks(page, "sh"):
        for line in body.replace("\\\n", " ").splitlines():
            command = line.split("  #")[0].strip().removeprefix("../").removeprefix(".venv/bin/")
            if command.startswith("izhnumba "):
                arguments = shlex.split(command, comments=True)[1:]
                if arguments[0] not in NOT_RUN and "<" not in command and "|" not in command:
                    assert cli.main(arguments) in (0, None), command
            else:
                assert not command or command.startswith(KNOWN), command
    assert blocks(page, "console") == [], "write ```sh"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path = target.split("#")[0]
        if path and not re.match(r"[a-z]+:", path) and not BUILT & set(Path(path).parts):
            assert (page.parent / path).exists(), target


@pytest.mark.parametrize("folder", ["howto", "concepts"])
def test_every_page_is_in_the_list_and_in_the_sidebar(folder):
    index = (DOCS / folder / "index.md").read_text()
    for page in (DOCS / folder).glob("*.md"):
        if page.name != "index.md":
            assert index.count(f"]({page.name}): ") == 1, page.name
            assert len(re.findall(rf"^(.+ <)?{page.stem}>?$", index, re.M)) == 1, page.stem


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_a_page_can_be_scanned(page):
    text = page.read_text()
    assert len(re.findall(r"^# ", re.sub(r"```.*?```", "", text, flags=re.S), re.M)) == 1, "one title"
    assert len(text.splitlines()) <= LONGEST


@pytest.mark.skipif(which("bash") is None, reason="without bash")
def test_a_task_of_a_cluster_does_its_share_of_the_runs(elsewhere):
    """The job of the page on clusters, with stand-ins for what a cluster has: the last of its four tasks."""
    page = DOCS / "howto" / "clusters.md"
    (_, task), *_ = blocks(page, "python")
    ((_, job),) = blocks(page, "bash")
    tools = elsewhere / "izhnumba-env" / "bin"
    tools.mkdir(parents=True)
    (tools / "activate").write_text(f'export PATH="{tools}:$PATH"\n')
    for name, line in {"srun": 'exec "$@"', "python": f'exec "{sys.executable}" "$@"'}.items():
        (tools / name).write_text(f"#!/bin/sh\n{line}\n")
        (tools / name).chmod(0o755)
    Path("task.py").write_text(task)
    Path("job.sh").write_text(job)
    options = re.findall(r"^#SBATCH --([a-z-]+)", job, re.M)
    assert {"array", "cpus-per-task", "time", "output"} <= set(options) <= {
        "array", "cpus-per-task", "job-name", "mem", "output", "requeue", "time",
    }  # fmt: skip
    first, last = map(int, re.search(r"--array=(\d+)-(\d+)", job).groups())
    run_alone(
        ["bash", "job.sh"], HOME=str(elsewhere), SLURM_ARRAY_TASK_ID=str(last), SLURM_ARRAY_TASK_COUNT=str(last + 1)
    )
    assert first == 0
    assert sorted(path.name for path in Path("results").iterdir()) == [
        f"weight{weight}-seed{last}.npz" for weight in (0, 4, 8)
    ]
