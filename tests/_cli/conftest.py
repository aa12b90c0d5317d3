"""What the tests of the command line share."""

import numpy as np
import pytest
from command_line import CURRENT


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder with the file stim.csv, which holds CURRENT."""
    monkeypatch.chdir(tmp_path)
    np.savetxt("stim.csv", CURRENT, delimiter=",", fmt="%g")
    return tmp_path
