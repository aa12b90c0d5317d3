"""Objects that users cannot change by mistake. One way for each kind of object:

* values, such as receptors, inputs and rules: frozen dataclasses, whose `__post_init__` writes by `assign`;
* parts of a network, and results: `Fixed` and `Sealed`, on which a misspelt attribute is an error, not a new one;
* tables of named things, such as presets: `NamedTable`;
* views of dicts that change: `MappingProxyType`, of a `Named` one where users look names up;
* arrays that are copies or inputs: `flags.writeable = False`.

Populations alone write attributes by themselves, for their parameters are attributes.
"""

from __future__ import annotations

import importlib
import itertools
from collections import ChainMap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NoReturn, TypeVar

from izhnumba._base import checks
from izhnumba._base.documented import columns, documented_by
from izhnumba._base.words import did_you_mean

_MOST_NAMES = 50  # in an error
Entry = TypeVar("Entry")
Reduced = str | tuple[Any, ...]  # what pickle takes from __reduce__


def assign(one: object, /, **values: object) -> None:
    """Set attributes of an object that refuses to be changed, in one statement: an interrupt finds all or none."""
    vars(one).update(values)


class Fixed:
    """After `_seal()` only properties with a setter, and private attributes, can be set.

    _cures: what to do instead, by the name of an attribute that users would set.
    """

    _cures: Mapping[str, str] = {}

    def __setattr__(self, name: str, value: object) -> None:
        if name[:1] == "_":
            super().__setattr__(name, value)
            return
        own = getattr(type(self), name, None)
        if not vars(self).get("_sealed") or getattr(own, "fset", None):
            super().__setattr__(name, value)
        elif own is not None or name in vars(self):
            raise AttributeError(
                f"{type(self).__name__}.{name} cannot be changed. {self._cures.get(name, '')}".rstrip()
            )
        else:
            settable = [known for known in dir(type(self)) if getattr(getattr(type(self), known), "fset", None)]
            if not settable:
                raise TypeError(
                    f"{type(self).__name__} has no parameter {checks.shown(name)}, and none that can be set."
                )
            checks.unknown(type(self).__name__, name, settable)

    def _seal(self) -> None:
        self._sealed = True


class Sealed(Fixed):
    """A fixed object that belongs to a network, and cannot be copied or pickled without it."""

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse: a copy would share the arrays of a running network."""
        raise TypeError(f"{type(self).__name__} cannot be copied or pickled. Use Network.save and izhnumba.load.")


class UnknownName(KeyError, ValueError):
    """A name that a table does not have; shown as a sentence, not in quotes as other KeyErrors are."""

    def __str__(self) -> str:
        return str(self.args[0])


def unknown_name(where: str, name: object, known: Collection[str], near: str) -> UnknownName:
    """The error of a name that is not in a table. where: of the table; near: a question with names that are near."""
    first = ", ".join([*itertools.islice(known, _MOST_NAMES)])
    more = f" and {len(known) - _MOST_NAMES} more" if len(known) > _MOST_NAMES else ""
    there = f"Known: {first}{more}." if known else "There are none yet."
    return UnknownName(f"{where} must be a known name, got {checks.shown(name)}. {near}{there}")


class Named(dict[str, Any]):
    """Objects by their names; an unknown one is told together with those there are. where: how a user calls it."""

    def __init__(self, where: str) -> None:
        self.where = where

    def __missing__(self, name: object) -> NoReturn:
        raise unknown_name(self.where, name, self, did_you_mean(name, self, most=3))


class NamedPopulations(ChainMap[str, Any]):
    """Populations and sources by their names, told likewise."""

    def __missing__(self, name: object) -> NoReturn:
        raise unknown_name("Network.populations.name", name, self, did_you_mean(name, self, most=3))


@documented_by(lambda table: table._text())
class NamedTable(Mapping[str, Entry]):
    """A read-only mapping of names to entries, each with an attribute `name`.

    name, home: of the variable that holds the table, and of the module it is in. about: text of `help`, above a line
    per entry. line: an entry to the texts beside its name in that line.
    """

    def __init__(
        self, name: str, home: str, entries: Iterable[Entry], about: str, line: Callable[[Entry], tuple[str, ...]]
    ) -> None:
        self._name, self._home, self._about, self._line = name, home, about, line
        self._entries: dict[str, Entry] = {entry.name: entry for entry in entries}  # type: ignore[attr-defined]

    def __getitem__(self, name: str) -> Entry:
        if isinstance(name, str) and name not in self._entries:
            raise unknown_name(f"{self._name}.name", name, self._entries, self.nearest(name))
        return self._entries[checks.one_of(f"{self._name}.name", name, self._entries)]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._entries

    def __getattr__(self, name: str) -> NoReturn:
        if name[:1] == "_":
            raise AttributeError(name)  # also while it is copied
        cure = f"Write {self._name}[{name!r}]." if name in self else f"{self.nearest(name)}Write {self._name}[name]."
        raise AttributeError(f"{self._name} has no attribute {name!r}. {cure}")

    def nearest(self, name: str) -> str:
        """The question "Did you mean ...? " with the names that are near, or that of an entry which is called so in the
        text beside it; "" if there are none."""
        called = [one for one, entry in self.items() if self._line(entry)[0].lower() == name.lower()]
        return did_you_mean(name, self._entries, called[0] if called else None, most=3)

    def _text(self) -> str:
        return f"{self._about}\n\n{columns([(name, *self._line(entry)) for name, entry in self.items()])}\n"

    def get(self, name: object, default: object = None) -> Any:
        """The entry of this name, or `default` if there is none."""
        return self._entries.get(name, default) if isinstance(name, str) else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<{self._name}: {', '.join(self._entries)}>"

    def __reduce__(self) -> Reduced:
        return by_name, (self._home, self._name)

    def of(self, entry: Entry, otherwise: Callable[[], Reduced]) -> Reduced:
        """The `__reduce__` of an entry: by its name, so that unpickling finds the same object; `otherwise()` for an
        object that is not in the table."""
        name: str = entry.name  # type: ignore[attr-defined]
        return (by_name, (self._home, self._name, name)) if self.get(name) is entry else otherwise()


def by_name(home: str, name: str, *key: str) -> object:
    """Unpickle: the object `name` of the module `home`, or its entry of this key."""
    thing = getattr(importlib.import_module(home), name)
    return thing[key[0]] if key else thing
