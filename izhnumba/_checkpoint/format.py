"""The file format of networks and populations: values as JSON, and arrays, in an npz file that appears whole or not.

An object is stored as the name of its class and its fields, a model or a function of the user's as its name; nothing in
a file is ever executed.
The comment of the zip archive is the SHA-256 of all that comes before it: it reveals files that were cut short or
altered, but proves nothing. So every value in a file is checked before it is used.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
import json
import os
import re
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks, files, npz, paths
from izhnumba._base.saved import Misfit, Saved, shown
from izhnumba._input.functions import Function
from izhnumba._input.input import Input
from izhnumba._model import izhikevich as models
from izhnumba._model.model import Model
from izhnumba._record.reductions import StateReduction
from izhnumba._synapse.connectivity import Rule
from izhnumba._synapse.plasticity import Plasticity
from izhnumba._synapse.positions import Positions
from izhnumba._synapse.receptor import Receptor

Array = NDArray[Any]
_FORMAT = 2
_DIGEST = 64  # characters
_CHUNK = 2**22
_DEEPEST = 64
_DEFINE = "a list of models and classes, or functions"
_PLAIN = (type(None), bool, int, float, str)


class Kind(NamedTuple):
    """What a file holds. name: of it, with which its places begin; save, load: who writes and reads it, for errors."""

    name: str
    save: str
    load: str


NETWORK = Kind("network", "Network.save", "load")
POPULATION = Kind("population", "Population.save", "Population.load")


def _name(thing: Model | type | types.FunctionType) -> str:
    """The name of a model, class or function in files."""
    if isinstance(thing, Model):
        return thing.name
    reduces = isinstance(thing, type) and issubclass(thing, StateReduction)  # a sum of a state is no sum of inputs
    return f"{StateReduction.__name__} {thing.__name__}" if reduces else thing.__name__


@functools.cache
def _ours() -> dict[str, Any]:
    """The dataclasses and models of izhnumba that a file may name, all of which it has imported by now."""
    known = [one for one in vars(models).values() if isinstance(one, Model)]
    kinds: list[type] = [Input, Receptor, Plasticity, Rule, Positions, StateReduction]
    for kind in kinds:  # which grows meanwhile
        kinds += kind.__subclasses__()
    ours = [kind for kind in kinds if kind.__module__.startswith("izhnumba.") and dataclasses.is_dataclass(kind)]
    named: list[Model | type] = [*ours, *known]
    return {_name(one): one for one in named}


def save(path: object, kind: Kind, parts: dict[str, Any]) -> None:
    """Write a network or a population to the place that a user gives: a dict made of numbers, texts, arrays, lists,
    dicts, models and dataclasses."""
    path = paths.place(f"{kind.save}.path", path)
    arrays: dict[str, Array] = {}
    about = {"format": _FORMAT, kind.name: _packed(parts, kind.name, arrays, kind.save)}
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    with files.replaced(path) as scratch, open(scratch, "w+b") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
        _seal(file)


def load(path: Path, kind: Kind, define: Sequence[Any]) -> dict[str, Any]:
    """The dict that was saved. define: the user's own models, classes and functions in it."""
    for one in checks.kind(f"{kind.load}.define", define, (list, tuple), _DEFINE):
        checks.kind(f"{kind.load}.define", one, (Model, type, types.FunctionType), _DEFINE)
    with open(path, "rb") as file:
        if not _sealed(file):
            raise refusal(kind, path, "which is another kind of file, cut short or altered")
        try:
            arrays = npz.arrays(file)
            about = _about(kind, arrays)
        except ValueError as error:
            raise refusal(kind, path, error) from None
    if about["format"] != _FORMAT:
        cure = "Update izhnumba." if about["format"] > _FORMAT else "Load it with the izhnumba that saved it."
        found = f"which is of format {about['format']}; this izhnumba reads format {_FORMAT}"
        raise ValueError(f"{refusal(kind, path, found)} {cure}")
    theirs = {_name(one): one for one in define}
    if len(theirs) < len(set(map(id, define))):
        names = sorted(map(_name, define))
        raise ValueError(f"{kind.load}.define must hold one thing of each name, got {names}.")
    reader = _Reader(arrays, theirs, kind.load)
    try:
        parts: dict[str, Any] = reader.unpacked(about[kind.name], kind.name)
        if reader.arrays:
            raise Misfit("arrays", "be in use", f"{checks.shown(sorted(reader.arrays)[0])} as well")
    except Misfit as error:
        raise refusal(kind, path, error) from error.__cause__
    return parts


def refusal(kind: Kind, path: Path, reason: object) -> ValueError:
    """The error about a file that is refused. reason: begins with "which" or "whose"."""
    return ValueError(f"{kind.load}.path must be a checkpoint of izhnumba, got {os.fspath(path)!r}, {reason}.")


@contextmanager
def refusing(kind: Kind, path: Path) -> Iterator[None]:
    """Context in which every error is turned into the one that refuses the file."""
    try:
        with np.errstate(all="ignore"):
            yield
    except Misfit as error:
        raise refusal(kind, path, error) from error.__cause__
    except Exception as error:
        reason = str(error).rstrip(".") or type(error).__name__
        raise refusal(kind, path, f"of which no {kind.name} can be made: {reason}") from error


def _about(kind: Kind, arrays: dict[str, Array]) -> dict[str, Any]:
    text = arrays.pop("about", None)
    if text is None or text.dtype != np.uint8 or text.ndim != 1:
        raise ValueError("which does not say what it is about")
    try:
        about = json.loads(text.tobytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"which cannot be read: {error}") from None
    for other in (NETWORK, POPULATION):
        if other is not kind and isinstance(about, dict) and set(about) == {"format", other.name}:
            raise ValueError(f"which holds a {other.name}: use {other.load}")
    saved = Saved(about, "about", ("format", kind.name))
    saved.integer("format", 0)
    return saved.value


def _packed(value: object, place: str, arrays: dict[str, Array], owner: str) -> object:
    """A value as JSON; its arrays are added to `arrays`, under the names of their places. owner: of errors."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in npz.KINDS and not value.dtype.hasobject:
        place = re.sub(r"[^\w/#. -]", "_", place)
        while place in arrays:
            place += "_"
        arrays[place] = value
        return {"array": place}
    if isinstance(value, (list, tuple)):
        return {type(value).__name__: [_packed(one, f"{place}/{k}", arrays, owner) for k, one in enumerate(value)]}
    if isinstance(value, dict):
        keys = [_packed(key, place, arrays, owner) for key in value]
        return {"dict": [keys, [_packed(one, f"{place}/{k}", arrays, owner) for k, one in zip(keys, value.values())]]}  # noqa: B905
    if isinstance(value, Model):
        return {"model": value.name, "ours": _ours().get(value.name) is value}
    if isinstance(value, types.FunctionType):
        if not value.__name__.isidentifier():
            raise TypeError(f"{owner} cannot store a lambda at {place}. Write a def, whose name is stored.")
        return {"function": value.__name__, "ours": False}
    if isinstance(value, Function):
        cure = "Write a class derived from Input with at(t), whose fields are all that it is made of."
        raise TypeError(f"{owner} cannot store a Function at {place}: it holds {checks.shown(value.f)}. {cure}")
    if dataclasses.is_dataclass(value):
        kind = type(value)
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.init}
        _check_constructor(kind, fields, f"{owner} cannot store a {kind.__name__} at {place}")
        ours = _ours().get(_name(kind)) is kind
        return {"object": _name(kind), "ours": ours, "fields": _packed(fields, place, arrays, owner)}
    found = type(value).__name__
    raise TypeError(
        f"{owner} cannot store a {found} at {place}: it is no number, text, array or dataclass. Write "
        "@dataclass(frozen=True) above a class of your own, whose fields are all that it is made of."
    )


def _check_constructor(kind: type, fields: dict[str, Any], refusal: str) -> None:
    """Refuse a dataclass that could not be made anew from its fields. refusal: how the error begins."""
    try:
        inspect.signature(kind).bind(**fields)
    except TypeError:
        raise TypeError(
            f"{refusal}: its constructor must take its fields, "
            f"({', '.join(fields)}), got one of {inspect.signature(kind)}. Leave __init__ to @dataclass."
        ) from None


class _Reader:
    """From JSON to values. Each array is used once: no two objects may share one. theirs: the user's models and classes
    by name; owner: the function that loads, for errors."""

    def __init__(self, arrays: dict[str, Array], theirs: dict[str, Any], owner: str) -> None:
        self.arrays, self._theirs, self._owner = arrays, theirs, owner

    def unpacked(self, value: Any, place: str, depth: int = 0) -> Any:
        if isinstance(value, _PLAIN):
            return value
        if depth > _DEEPEST:
            raise Misfit(place, f"be nested at most {_DEEPEST} deep", "more")
        form = next(iter(value), None) if isinstance(value, dict) else None
        if form == "array":
            name = Saved(value, place, ("array",)).kind("array", str, "the name of an array")
            if name not in self.arrays:
                raise Misfit(place, "be an array of its own", f"{checks.shown(name)}, which is not there")
            return self.arrays.pop(name)
        if form in ("list", "tuple"):
            items = Saved(value, place, (form,)).kind(form, list, "a list")
            parts = [self.unpacked(one, f"{place}/{k}", depth + 1) for k, one in enumerate(items)]
            return tuple(parts) if form == "tuple" else parts
        if form == "dict":
            return self._dict(Saved(value, place, ("dict",)), place, depth)
        if form in ("model", "object", "function"):
            saved = Saved(value, place, ("object", "ours", "fields") if form == "object" else (form, "ours"))
            found = self._known(saved, form)
            return self._made(found, value["fields"], place, depth) if form == "object" else found
        raise Misfit(place, "be a value that a checkpoint can store", shown(value))

    def _dict(self, saved: Saved, place: str, depth: int) -> dict[Any, Any]:
        pair = saved.kind("dict", list, "keys and values")
        if len(pair) != 2 or not all(isinstance(one, list) for one in pair) or len(pair[0]) != len(pair[1]):
            raise Misfit(place, "be as many keys as values", pair)
        keys, items = pair
        if not all(isinstance(key, _PLAIN) for key in keys) or len(set(keys)) < len(keys):
            raise Misfit(place, "be a dict with different keys", keys)
        return {key: self.unpacked(one, f"{place}/{key}", depth + 1) for key, one in zip(keys, items, strict=True)}

    def _known(self, saved: Saved, form: str) -> Any:
        name, ours = saved.kind(form, str, "a name"), saved.kind("ours", bool, "True or False")
        known = _ours() if ours else self._theirs
        found = known.get(name)
        if isinstance(found, {"model": Model, "object": type, "function": types.FunctionType}[form]):
            return found
        what = "class" if form == "object" else form
        if ours:
            raise Misfit(saved.place, f"be a {what} of izhnumba", shown(name))
        raise ValueError(
            f"{self._owner}.define must hold the {what} {name!r}, which is not one of izhnumba's, got "
            f"{sorted(self._theirs) or 'nothing'}. Call {self._owner}(path, define=[{name}])."
        )

    def _made(self, kind: type, fields: object, place: str, depth: int) -> Any:
        values = self.unpacked(fields, place, depth + 1)
        if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
            raise Misfit(place, "have fields by name", shown(values))
        try:
            return kind(**values)
        except Exception as error:  # constructors may raise anything
            raise Misfit(place, f"be the fields of a {kind.__name__}", f"others: {error!s:.300}") from error


def _seal(file: BinaryIO) -> None:
    """Append the digest of a zip file to it, as its comment."""
    end = file.seek(0, os.SEEK_END)
    file.seek(end - 2)
    file.write(_DIGEST.to_bytes(2, "little"))
    file.write(_digest(file, end))


def _sealed(file: BinaryIO) -> bool:
    """Whether the digest of a file is right; the file is at its start then."""
    end = file.seek(0, os.SEEK_END) - _DIGEST
    if end <= 0:
        return False
    wanted = _digest(file, end)
    file.seek(end)
    good = file.read() == wanted
    file.seek(0)
    return good


def _digest(file: BinaryIO, end: int) -> bytes:
    digest, left = hashlib.sha256(), end
    file.seek(0)
    while left:
        chunk = file.read(min(_CHUNK, left))
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest().encode()
