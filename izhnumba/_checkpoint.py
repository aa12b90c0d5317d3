"""Files of whole networks: values as JSON and arrays in an npz file, written to a temporary name and then renamed.

An object is stored as the name of its class and its fields, a model as its name; nothing in a file is ever executed.
The comment of the zip archive is the SHA-256 of all that comes before it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from izhnumba import _binding, _connectivity, _inputs, _models, _plasticity_rules, _receptors, _spike_inputs
from izhnumba._models import Model

Array = NDArray[Any]
_FORMAT = 2
_DIGEST = 64  # characters
_CHUNK = 2**22
_PLAIN = (type(None), bool, int, float, str)


def _named(*modules: Any) -> dict[str, Any]:
    things = [thing for module in modules for thing in vars(module).values()]
    classes = [one for one in things if isinstance(one, type) and dataclasses.is_dataclass(one)]
    return {_name(one): one for one in (*classes, *(one for one in things if isinstance(one, Model)))}


def _name(thing: Any) -> str:
    return str(thing.name if isinstance(thing, Model) else thing.__name__)


_OURS = _named(_binding, _inputs, _spike_inputs, _receptors, _plasticity_rules, _connectivity, _models)


def save(path: Path, network: dict[str, Any]) -> None:
    """Write a description made of numbers, texts, arrays, lists, dicts, models and dataclasses."""
    arrays: dict[str, Array] = {}
    about = {"format": _FORMAT, "network": _packed(network, "network", arrays)}
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(scratch, "w+b") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
            _seal(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def load(path: Path, define: Sequence[Any]) -> dict[str, Any]:
    """The description that was saved. define: the models and classes in it that are not ours."""
    must = f"load.path must be a checkpoint of izhnumba, got {os.fspath(path)!r}"
    with open(path, "rb") as file:
        if not _sealed(file):
            raise ValueError(f"{must}, which is another kind of file, cut short or altered.")
        try:
            arrays = dict(np.load(file, allow_pickle=False))
            about = json.loads(arrays["about"].tobytes())
        except (ValueError, KeyError, zipfile.BadZipFile) as error:
            raise ValueError(f"{must}, which cannot be read: {error}.") from None
    if about["format"] != _FORMAT:
        cure = "Update izhnumba." if about["format"] > _FORMAT else "Load it with the izhnumba that saved it."
        raise ValueError(f"{must}, which is of format {about['format']}; this izhnumba reads format {_FORMAT}. {cure}")
    theirs = {_name(one): one for one in define}
    if len(theirs) < len(set(map(id, define))):
        raise ValueError(f"load.define must hold one thing of each name, got {sorted(map(_name, define))}.")
    network: dict[str, Any] = _unpacked(about["network"], arrays, theirs)
    return network


def _packed(value: Any, place: str, arrays: dict[str, Array]) -> Any:
    """A value as JSON, with its arrays put aside under the names of their places."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufUV" and not value.dtype.hasobject:
        place = re.sub(r"[^\w/#. -]", "_", place)
        while place in arrays:
            place += "_"
        arrays[place] = value
        return {"array": place}
    if isinstance(value, (list, tuple)):
        return {type(value).__name__: [_packed(one, f"{place}/{k}", arrays) for k, one in enumerate(value)]}
    if isinstance(value, dict):
        keys = [_packed(key, place, arrays) for key in value]
        return {"dict": [keys, [_packed(one, f"{place}/{k}", arrays) for k, one in zip(keys, value.values())]]}  # noqa: B905
    if isinstance(value, Model):
        return {"model": value.name, "ours": _OURS.get(value.name) is value}
    if dataclasses.is_dataclass(value):
        kind = type(value)
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        ours = _OURS.get(kind.__name__) is kind
        return {"object": kind.__name__, "ours": ours, "fields": _packed(fields, place, arrays)}
    found = type(value).__name__
    raise TypeError(f"Network.save cannot store a {found} at {place}: it is no number, text, array or dataclass.")


def _unpacked(value: Any, arrays: dict[str, Array], theirs: dict[str, Any]) -> Any:
    if isinstance(value, _PLAIN):
        return value
    if "array" in value:
        return arrays[value["array"]]
    if "list" in value or "tuple" in value:
        kind, items = next(iter(value.items()))
        parts = [_unpacked(one, arrays, theirs) for one in items]
        return tuple(parts) if kind == "tuple" else parts
    if "dict" in value:
        keys, items = value["dict"]
        return {_unpacked(key, arrays, theirs): _unpacked(one, arrays, theirs) for key, one in zip(keys, items)}  # noqa: B905
    name = value.get("model", value.get("object"))
    known = _OURS if value["ours"] else theirs
    if name not in known:
        what = "model" if "model" in value else "class"
        raise ValueError(
            f"load.define must hold the {what} {name!r}, which is not one of izhnumba's, got "
            f"{sorted(theirs) or 'nothing'}. Call load(path, define=[{name}])."
        )
    return known[name] if "model" in value else known[name](**_unpacked(value["fields"], arrays, theirs))


def _seal(file: BinaryIO) -> None:
    """Append the digest of a zip file to it, as its comment."""
    end = file.seek(0, os.SEEK_END)
    file.seek(end - 2)
    file.write(_DIGEST.to_bytes(2, "little"))
    file.write(_digest(file, end))


def _sealed(file: BinaryIO) -> bool:
    """Whether the file still is what was saved."""
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
