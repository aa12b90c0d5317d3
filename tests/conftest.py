"""Tests of optional packages are collected where these are installed; Ctrl-C interrupts, whoever started the tests."""

import signal
from importlib.util import find_spec

# A shell starts background jobs with SIGINT ignored: Python then raises no KeyboardInterrupt, nor do its children.
signal.signal(signal.SIGINT, signal.default_int_handler)

NEEDED = {
    "_jax/*.py": "jax", "test_brainpy*.py": "brainpy", "test_brian2*.py": "brian2", "models/test_brian2*.py": "brian2",
    "test_nest*.py": "nest", "_explore/test_explore_[np]*.py": "playwright",
    "coming_from/test_from_brian2.py": "brian2", "coming_from/test_from_nest.py": "nest",
    "coming_from/test_from_pynn.py": "pyNN", "coming_from/test_from_brainpy.py": "brainpy",
    "coming_from/test_from_snntorch.py": "snntorch",
}  # fmt: skip
collect_ignore_glob = [files for files, package in NEEDED.items() if find_spec(package) is None]
