"""Types for users: `mypy --strict` passes a script made of what the tour shows, which the package's types decide."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from processes import PACKAGE

pytest.importorskip("mypy")

DOCS = PACKAGE.parent / "docs"
PAGES = "\n".join((DOCS / page).read_text() for page in ("tour.md", "howto/long_gradients.md"))
BLOCKS = re.findall(r"```python\n(.*?)```", PAGES, re.DOTALL)
SESSIONS = [block for block in BLOCKS if block.startswith(">>> ") and "by_params" not in block]
RIGHT = """
pop.V = -65.0
pop.u = [0.0, 1.0, 2.0]
pop.a = 0.03
higher = 2.0 * iz.where(pop.V > -60.0, pop.V, -60.0)
"""
WRONG = """
res.V.shape = "wide"
net.connect(exc)
iz.schemes["euler"].dt_max.upper()
iz.presets["RS"].stimulus.amplitude
iz.LogNormal(mu="a", sigma=1.0)
"""


def script(blocks):
    """The code of blocks, without the prompts and the results of sessions."""
    lines = "\n".join(blocks).splitlines()
    shown = any(line.startswith(">>> ") for line in lines)
    return "\n".join(line[4:] for line in lines if line[:3] in (">>>", "...")) if shown else "\n".join(lines)


@pytest.fixture
def strict(request, tmp_path):
    """Errors of `mypy --strict` in a script; what it learns of other packages stays in pytest's cache folder."""
    kept = getattr(request.config, "cache", None)

    def errors(*texts):
        (tmp_path / "script.py").write_text("\n".join(texts) + "\n")
        command = [
            sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--no-error-summary", "--config-file=",
            f"--cache-dir={kept.mkdir('mypy') if kept else tmp_path / 'cache'}", "script.py",
        ]  # fmt: skip
        variables = os.environ | {"MYPYPATH": str(PACKAGE.parent)}
        done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True)
        lines = done.stdout.splitlines() + done.stderr.splitlines()
        return [line for line in lines if ": note: " not in line]

    return errors


def test_a_script_of_the_tour_passes_and_mistakes_are_found(strict):
    text = script(SESSIONS) + RIGHT.rstrip()
    assert text.count("iz.Population(") == 5
    found = strict(text, WRONG.strip())
    assert [line.split(":")[1] for line in found] == [
        str(len(text.splitlines()) + k) for k in range(1, len(WRONG.strip().splitlines()) + 1)
    ], "\n".join(found)


@pytest.mark.jax
def test_a_script_of_gradients_passes(strict):
    text = script([block for block in BLOCKS if "izhnumba.jax" in block and ">>>" not in block])
    assert "jax.grad" in text
    assert strict(text) == []
