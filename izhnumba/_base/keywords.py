"""Errors about keywords that do not exist, with the name that is near or that stands for it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from izhnumba._base import checks

Made = TypeVar("Made", bound=Callable[..., Any])


def known_keywords(where: str, **habits: str) -> Callable[[Made], Made]:
    """Decorator of a function or dataclass: a keyword that it does not have is told as those of a population are.

    where: what users call it. habits: for names of other programs, in lower case, a known one or a sentence.
    """

    def decorate(made: Made) -> Made:
        call: Callable[..., Any] = made.__init__ if isinstance(made, type) else made  # type: ignore[misc]
        known = [name for name in inspect.signature(call).parameters if name != "self"]

        @functools.wraps(call)
        def checked(self: object, *values: object, **given: object) -> object:
            for name in given:
                if name not in known:
                    checks.unknown(where, name, known, habits)
            return call(self, *values, **given)

        if not isinstance(made, type):
            return checked  # type: ignore[return-value]
        made.__init__ = checked  # type: ignore[misc]
        return made

    return decorate
