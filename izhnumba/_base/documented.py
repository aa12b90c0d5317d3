"""Objects that `help` documents one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Class = TypeVar("Class", bound=type)


class _Documentation:
    """The attribute `__doc__`: of the class its docstring, of an instance the text `about(instance)`."""

    def __init__(self, of_class: str | None, about: Callable[[Any], str]) -> None:
        self._of_class, self._about = of_class, about

    def __get__(self, instance: object, owner: type) -> str | None:
        return self._of_class if instance is None else self._about(instance)


def documented_by(about: Callable[[Any], str]) -> Callable[[Class], Class]:
    """Class decorator: `help(instance)` shows `about(instance)`; else it would show the class."""

    def decorate(cls: Class) -> Class:
        cls.__doc__ = _Documentation(cls.__doc__, about)  # type: ignore[assignment]
        return cls

    return decorate


def columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows of text as aligned columns, each line indented by four blanks."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("    " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
