"""What a user installs: extras, classifiers, the recipe for conda-forge and the policy of old names tell the truth."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import izhnumba as iz
from izhnumba._base.renamed import REMOVED_IN

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
RECIPE = ROOT / "docs/howto/recipe.yaml"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / ".ci/run", *(ROOT / "docs").rglob("*.md")]


def version(text):
    return tuple(int(number) for number in text.split("."))


def packages(requirements):
    return {re.match(r"[\w-]+", one)[0] for one in requirements}


def test_extras_that_are_named_exist():
    lists = [one for page in PAGES for one in re.findall(r"(?:\.|izhnumba)\[([\w,]+)\]", page.read_text())]
    assert {name for names in lists for name in names.split(",")} <= set(EXTRAS)
    assert lists


@pytest.mark.parametrize("extra", ["plot", "jax", "brainpy"])
def test_extras_of_users_serve_code_that_is_there(extra):
    source = "\n".join(file.read_text() for file in Path(iz.__file__).parent.rglob("*.py"))
    missing = {one for one in packages(EXTRAS[extra]) if not re.search(rf'(import|from) {one}\b|, "{one}"', source)}
    assert missing == set()


def test_markers_of_optional_packages_are_extras():
    markers = {marker.partition(":")[0] for marker in PYPROJECT["tool"]["pytest"]["ini_options"]["markers"]}
    assert markers <= set(EXTRAS)
    everything = EXTRAS["dev"][0].partition("[")[2].rstrip("]").split(",")
    assert set(everything) == set(EXTRAS) - {"plot", "peers", "torch", "dev"}
    assert packages(EXTRAS["plot"]) <= packages(EXTRAS["test"])


def test_classifiers_begin_with_the_oldest_python():
    minors = [one.rpartition("3.")[2] for one in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+$", one)]
    oldest = version(PROJECT["requires-python"].removeprefix(">="))
    assert [(3, int(minor)) for minor in minors] == [(3, oldest[1] + k) for k in range(len(minors))]
    assert len(minors) == 4


def test_recipe_agrees_with_pyproject():
    text = RECIPE.read_text()
    quoted = dict(re.findall(r'^  (\w+): "(.*)"$', text, re.M))
    assert quoted == {"version": iz.__version__, "python_min": PROJECT["requires-python"].removeprefix(">=")}
    run = re.search(r"^  run:\n((?:    - .*\n)+)", text, re.M)[1]
    needs = {line.strip().removeprefix("- ").replace(" ", "") for line in run.splitlines()}
    assert needs == {*PROJECT["dependencies"], "python>=${{python_min}}"}
    for name, function in PROJECT["scripts"].items():
        assert f"- {name} = {function}\n" in text
    assert set(re.findall(r"^  (?:summary|license): (.*)$", text, re.M)) == {PROJECT["description"], PROJECT["license"]}


def test_rattler_build_reads_the_recipe():
    rattler_build = pytest.importorskip("rattler_build")
    [variant] = rattler_build.Stage0Recipe.from_file(str(RECIPE)).render(rattler_build.VariantConfig({}))
    made = variant.recipe.to_dict()
    assert made["package"] == {"name": "izhnumba", "version": iz.__version__}
    assert made["source"][0]["path"] == f"../../dist/izhnumba-{iz.__version__}.tar.gz"
    assert made["requirements"]["run"][0] == "python >=3.11"
    with pytest.raises(Exception, match="requirement"):
        rattler_build.Stage0Recipe.from_yaml(RECIPE.read_text().replace("\nrequirements:", "\nrequirement:"))


def test_old_names_go_when_they_were_to_go():
    assert version(iz.__version__) < version(REMOVED_IN)
    assert f"goes with version {REMOVED_IN}" in (ROOT / "docs/deprecations.md").read_text()


def test_files_that_ci_names_are_there():
    named = set(re.findall(r"\btests/[\w/.]*\w", (ROOT / ".ci/run").read_text()))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
