"""The fixture `port`."""

import pytest
from ports import run_port


@pytest.fixture
def port(tmp_path, monkeypatch, capsys):
    """Runs a shortened port in this process, with variables of a test, and returns its variables by name."""
    return lambda name, **more: run_port(name, tmp_path, monkeypatch, capsys, **more)
