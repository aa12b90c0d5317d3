"""Words of messages."""

from __future__ import annotations


def counted(n: float, noun: str, form: str = "") -> str:
    """A number with its noun: "1 spike", "2 spikes", "0 spikes". form: a format of numbers, such as ".6g"."""
    return f"{n:{form}} {noun}{'s' * (n != 1)}"
