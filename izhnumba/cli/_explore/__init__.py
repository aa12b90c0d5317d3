"""`izhnumba explore`: a page to play with neurons."""

from __future__ import annotations

import argparse
import os
import sys
import webbrowser
from pathlib import Path

from izhnumba.cli._explore import page
from izhnumba.cli._files import Subparsers, output


def add(commands: Subparsers) -> argparse.ArgumentParser:
    parser = commands.add_parser("explore", help="a page to play with neurons, which needs no server")
    parser.add_argument("--out", default="explore.html", metavar="FILE", help="default: explore.html")
    parser.add_argument("--no-browser", action="store_true", help="write the file, and open nothing")
    return parser


def run(arguments: argparse.Namespace) -> None:
    """Write the page, say where it is, and open it where there is a browser with windows."""
    path = Path(arguments.out)
    if path.exists() and not (path.is_file() and _is_ours(path)):
        raise ValueError(f"--out must be a new file, or a page that this command has written, got {path}.")
    with output(arguments.out) as file:
        assert file is not None
        page.write(file)
    print(path.resolve())
    if not arguments.no_browser and not (_has_windows() and webbrowser.open(path.resolve().as_uri())):
        print("There is no browser here: open the file in one.")


def _is_ours(path: Path) -> bool:
    """Whether a file is such a page, which may be replaced."""
    with path.open("rb") as file:
        return page.MARK.encode() in file.read(1000)


def _has_windows() -> bool:
    """Whether a browser would show the page in a window: one of the terminal would take the terminal."""
    return sys.platform in ("win32", "darwin") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
