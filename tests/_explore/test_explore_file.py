"""The file of `izhnumba explore`: what is in it, and that the command never overwrites by surprise."""

from __future__ import annotations

import os
import re
import webbrowser
from pathlib import Path

import pytest

import izhnumba as iz
from izhnumba import cli
from izhnumba.cli._explore import page as explorer

SOURCES = Path(explorer.__file__).parent


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder, and no screen."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return tmp_path


def test_one_file_that_needs_no_other():
    page = explorer.page()
    assert len(page.encode()) <= 150_000
    assert page.count("<script") == page.count("</script>") == 1
    assert not re.search(
        r"https?://|@import|<link(?! rel=\"icon\" href=\"data:,\")|src=|fetch\(|XMLHttp|eval\(|url\(", page
    )
    assert "<!-- " not in page


def test_a_page_of_the_site_leads_back_to_it():
    assert '<a href="index.html" target="_top">Documentation</a>' in explorer.page("index.html")
    assert "Documentation</a>" not in explorer.page()


def test_sources_are_short_and_all_are_used():
    for file in SOURCES.glob("*.*"):
        assert len(file.read_text().splitlines()) <= 250, file
    assert {file.stem for file in SOURCES.glob("*.js")} == set(explorer.SCRIPTS)


def test_presets_and_schemes_are_those_of_the_package():
    data = explorer._data()
    assert set(iz.presets) - set(data["presets"]) == {"RZ/Ca", "2008/P23"}  # states beside V and u
    assert set(iz.schemes) - set(data["schemes"]) == {"exact"}
    for name, told in data["presets"].items():
        preset = iz.presets[name]
        assert (told["scheme"], told["dt"], told["T"]) == (preset.scheme, preset.dt, preset.duration)
        assert told["p"].keys() == preset["model"].parameters.keys()
        for key in set(preset) - {"model"}:
            assert {**told["p"], "V": told["V"], "u": told["u"]}[key] == preset[key]


def test_command_writes_the_page_and_says_where(folder, capsys):
    assert cli.main(["explore", "--no-browser"]) == 0
    assert capsys.readouterr().out == f"{folder / 'explore.html'}\n"
    assert (folder / "explore.html").read_text(encoding="utf-8") == explorer.page()
    assert os.listdir() == ["explore.html"]


def test_command_opens_a_browser_where_there_is_a_screen(folder, capsys, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    assert cli.main(["explore"]) == 0
    assert "There is no browser here: open the file in one." in capsys.readouterr().out
    assert opened == []
    monkeypatch.setenv("DISPLAY", ":0")
    assert cli.main(["explore", "--out", "page.html"]) == 0
    assert opened == [(folder / "page.html").as_uri()]
    assert "no browser" not in capsys.readouterr().out


def test_command_replaces_its_own_page_and_nothing_else(folder, capsys):
    mine = folder / "mine.html"
    mine.write_text("my own")
    assert cli.main(["explore", "--no-browser", "--out", "mine.html"]) == 2
    must = "izhnumba explore: --out must be a new file, or a page that this command has written, got mine.html.\n"
    assert capsys.readouterr().err == must
    assert mine.read_text() == "my own"
    mine.write_text(f"<html>{explorer.MARK} of before")
    assert cli.main(["explore", "--no-browser", "--out", "mine.html"]) == 0
    assert mine.read_text(encoding="utf-8") == explorer.page()


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("nowhere/page.html", "nowhere/page.html: must be in a folder that exists and can be written."),
        (".", "--out must be a new file, or a page that this command has written, got .."),
    ],
)
def test_command_refuses(folder, capsys, out, message):
    assert cli.main(["explore", "--no-browser", "--out", out]) == 2
    assert capsys.readouterr().err == f"izhnumba explore: {message}\n"
    assert os.listdir() == []
