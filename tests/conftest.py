"""Tests of optional packages are collected where these are installed."""

from importlib.util import find_spec

NEEDED = {"_jax/*.py": "jax", "test_brainpy*.py": "brainpy", "test_brian2.py": "brian2"}
collect_ignore_glob = [files for files, package in NEEDED.items() if find_spec(package) is None]
