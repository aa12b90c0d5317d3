"""Words of messages."""

from __future__ import annotations

import difflib
from collections.abc import Collection


def counted(n: float, one: str, form: str = "", many: str = "") -> str:
    """A number with its noun: "1 spike", "0 spikes", "2 spikes".

    Parameters
    ----------
    n : int or float
    one, many : str
        The noun for one and, unless that is with an s, for several.
    form : str
        A format of the number, such as ".6g" or ",".
    """
    return f"{n:{form}} {one if n == 1 else many or one + 's'}"


def did_you_mean(name: object, known: Collection[str], meant: str | None = None, most: int = 1) -> str:
    """The question "Did you mean <nearest known name>? ", or "" if none is near.

    Parameters
    ----------
    name : str
        What was given; other objects are near to nothing.
    known : collection of str
    meant : str, optional
        The known name that it stands for in other programs.
    most : int
        How many names to offer.
    """
    by_lower = {option.lower(): option for option in known}
    given = str(name)[:60].lower() if isinstance(name, str) else ""
    near = [given] if given in by_lower else difflib.get_close_matches(given, by_lower, most, 0.5)
    *others, last = map(repr, [meant] if meant in known else [by_lower[one] for one in near] or [""])
    return f"Did you mean {', '.join(others)}{' or ' * bool(others)}{last}? " if meant in known or near else ""
