"""Checks of paths that a user passes: a file to read, a table of numbers to read, a place to write a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks

Array = NDArray[Any]


def file(where: str, value: object, cure: str = "") -> Path:
    """`value` as the path of an existing, readable file; cure: the end of the error if there is none."""
    path = _path(where, value)
    if not path.is_file():
        got, cure = f"{'the folder ' * path.is_dir()}{_shown(path)}", _home(path) or cure
        raise FileNotFoundError(f"{where} must be an existing file, got {got}.{' ' * bool(cure)}{cure}")
    if not os.access(path, os.R_OK):
        raise PermissionError(f"{where} must be a file that can be read, got {_shown(path)}.")
    return path


def place(where: str, value: object) -> Path:
    """`value` as the path of a file that can be written: in an existing folder, and no folder itself."""
    path = _path(where, value)
    target = Path(os.path.realpath(path))  # links are followed
    if not target.parent.is_dir():
        cure = _home(path) or "Make it first."
        raise FileNotFoundError(f"{where} must be in an existing folder, got {_shown(path)}. {cure}")
    if path.is_dir():
        raise IsADirectoryError(f"{where} must be a file, got the folder {_shown(path)}.")
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(f"{where} must be a file that can be written, got {_shown(path)}.")
    plain = target.is_file() or not target.exists()  # such a file is replaced, which its folder must allow
    if plain and not os.access(target.parent, os.W_OK | os.X_OK):
        raise PermissionError(f"{where} must be in a folder that can be written, got {_shown(path)}.")
    return path


def text_table(where: str, value: object, cure: str = "") -> Array:
    """The numbers of a text file, shape (lines, columns), separated by blanks, commas, semicolons or tabs."""
    path = file(where, value, cure)
    try:
        text = path.read_text()
    except UnicodeDecodeError as error:
        raise ValueError(f"{where} must be a file of text, got {_shown(path)}. {error}") from None
    first = next((line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")), "")
    if not first:
        return np.empty((0, 0))
    delimiter = next((mark for mark in ",;\t" if mark in first), None)
    try:
        return np.loadtxt(text.splitlines(), delimiter=delimiter, ndmin=2)
    except ValueError as error:
        reason = str(error).rstrip(".")
        raise ValueError(f"{where} must be a table of numbers, got {_shown(path)}: {reason}.") from None


def _path(where: str, value: object) -> Path:
    path = Path(checks.kind(where, value, (str, Path), "a path"))
    try:
        path.lstat()
        if path.is_symlink():
            path.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except PermissionError:
        raise PermissionError(f"{where} must be in a folder that can be entered, got {_shown(path)}.") from None
    except (OSError, ValueError) as error:  # a name too long or with a null character, links in a circle
        reason = error.strerror if isinstance(error, OSError) else "A path has no null characters"
        raise ValueError(f"{where} must be a path, got {_shown(path)}. {str(reason).capitalize()}.") from None
    return path


def _home(path: Path) -> str:
    return "Write Path(path).expanduser() for ~." if str(path).startswith("~") else ""


def _shown(path: Path) -> str:
    text = repr(str(path))
    return text if len(text) <= 80 else f"{text[:50]}...{text[-20:]}"
