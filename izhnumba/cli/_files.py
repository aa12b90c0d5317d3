"""What commands share: files that appear complete or not at all."""

from __future__ import annotations

import argparse
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TypeAlias

from izhnumba._base.files import replaced

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def output(name: str | None) -> AbstractContextManager[Path | None]:
    """Context of a scratch file that gets the name at its end; after an error or Ctrl-C no file is left. None for
    None."""
    if name is None:
        return nullcontext()
    if name == "-":
        raise ValueError("-: must be the name of a file. For standard output write /dev/stdout.")
    path, folder = Path(name), Path(os.path.realpath(name)).parent
    plain = path.is_file() or not os.path.lexists(os.path.realpath(name))
    if plain and not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise ValueError(f"{path}: must be in a folder that exists and can be written.")
    try:
        return replaced(path)
    except PermissionError:
        raise ValueError(f"{path}: must be a file that can be written.") from None
