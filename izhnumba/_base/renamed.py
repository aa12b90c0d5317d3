"""Old names of arguments and attributes, which work for one version more and say what they are called now: the policy
of docs/deprecations.md."""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from izhnumba._base.implausible import users_level

Class = TypeVar("Class", bound=type)
REMOVED_IN = "0.2"  # the version in which the old names of today go; a test fails there as long as they are not gone


def renamed(**names: str) -> Callable[[Class], Class]:
    """Class decorator, old="new": a dataclass or named tuple takes the old keyword, and has the old attribute, each
    with a DeprecationWarning. Both keywords together are a TypeError."""

    def decorate(cls: Class) -> Class:
        makers = ("__new__", "_replace") if issubclass(cls, tuple) else ("__init__",)
        for maker in makers:
            setattr(cls, maker, _renaming(getattr(cls, maker), cls.__name__, names))
        for old, new in names.items():
            setattr(cls, old, _alias(cls.__name__, old, new))
        return cls

    return decorate


def _renaming(make: Callable[..., Any], owner: str, names: dict[str, str]) -> Callable[..., Any]:
    """A constructor, or `_replace`, that takes old keywords, too."""

    def replacing() -> bool:
        """Whether dataclasses.replace makes the object: it passes the value of the old object under the new name."""
        return sys._getframe(2).f_globals["__name__"] == "dataclasses"

    @functools.wraps(make)
    def renaming(self: object, *values: object, **given: object) -> object:
        for old in names.keys() & given.keys():
            new = names[old]
            if new in given and not replacing():
                raise TypeError(f"{owner}.{old} must be left out where {new} is given, got both. Write {new} alone.")
            _warn(owner, old, new)
            given[new] = given.pop(old)
        return make(self, *values, **given)

    return renaming


def _alias(owner: str, old: str, new: str) -> property:
    """A property `old` with the value of `new`."""

    def value(self: object) -> object:
        _warn(owner, old, new)
        return getattr(self, new)

    return property(value, doc=f"The old name of `{new}`.")


def _warn(owner: str, old: str, new: str) -> None:
    message = f"{owner}.{old} is now called {new}; the old name goes with version {REMOVED_IN}. Write {new}."
    warnings.warn(message, DeprecationWarning, stacklevel=users_level())
