"""`izhnumba presets`: the table of presets."""

from __future__ import annotations

import argparse

import izhnumba as iz
from izhnumba.cli._files import Subparsers


def add(commands: Subparsers) -> argparse.ArgumentParser:
    return commands.add_parser("presets", help="names, schemes and sources of the presets")


def run(arguments: argparse.Namespace) -> None:
    for name, preset in iz.presets.items():
        print(f"{name:10} {preset.scheme:15} dt {preset.dt:<6g} {preset.source}")
