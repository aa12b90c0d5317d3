"""Connections that are given rather than drawn: pairs of indices, matrices, files of edges."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba._base import checks, paths
from izhnumba._base.implausible import users_level
from izhnumba._base.words import counted
from izhnumba._synapse.connectivity import GivenPairs, Rule
from izhnumba._synapse.ends import Ends

Array = NDArray[Any]
_MUST = "a rule such as AllToAll(), a pair (pre, post) of index arrays, a matrix or the path of a file"
_WHERE = "Network.connect.rule"
_PAIRS = "Pass a list of pairs as (pre, post): tuple(np.transpose(pairs))."
_ROWS = "Pass a matrix as an array: np.array(rows)."


def given(rule: object, weight: object, delay: object, ends: Ends) -> tuple[Rule, object, object]:
    """(rule, weight, delay) from the argument `rule` of `connect`: pairs, a matrix or a file become a rule, and bring
    weights or delays where the user gave None."""
    if isinstance(rule, Rule):
        return rule, weight, delay
    cure = ""
    if isinstance(rule, (str, os.PathLike)):
        table = _read(Path(rule))
        pre, post, columns = table[:, 0], table[:, 1], table.shape[1]
        weight = table[:, 2] if weight is None and columns > 2 else weight
        delay = table[:, 3] if delay is None and columns > 3 else delay
    elif hasattr(rule, "tocoo"):
        matrix = rule.tocoo()
        _check_shape(matrix.shape, ends)
        pre, post, weight = matrix.row, matrix.col, _weights(matrix.data, weight)
    elif hasattr(rule, "__array__") and np.ndim(rule):
        mask = isinstance(rule, np.ndarray) and not isinstance(rule, np.ma.MaskedArray) and rule.dtype == bool
        entries = np.asarray(rule if mask else checks.magnitude(_WHERE, rule, ""))
        _check_shape(entries.shape, ends)
        checks.finite(_WHERE, entries)
        pre, post = np.nonzero(entries)
        weight = _weights(entries[pre, post], weight)
    elif isinstance(rule, (tuple, list)) and len(rule) == 2:
        pre, post = rule
        cure = f" {_ROWS}" if _are_rows(rule, ends) else ""
        _warn_of_pairs(rule, ends)
    else:
        if isinstance(rule, float) and 0 <= rule <= 1:
            cure = f"For a probability write FixedProbability({rule:g})."
        pairs = isinstance(rule, (tuple, list)) and rule and all(np.shape(pair) == (2,) for pair in rule[:9])
        checks.refuse(_WHERE, rule, _MUST, _PAIRS if pairs else _ROWS if _are_rows(rule, ends) else cure)
    pre, post = _indices("pre", pre, ends.n_pre, cure), _indices("post", post, ends.n_post, cure)
    if len(pre) != len(post):
        raise ValueError(
            f"{_WHERE} must have as many targets as sources ({len(pre)}), got {counted(len(post), 'target')}."
        )
    return GivenPairs(pre, post), weight, delay


def _weights(entries: Array, weight: object) -> object:
    """`weight` if the user gave it, else the entries of the matrix."""
    if weight is not None:
        return weight
    if entries.dtype == bool:
        cure = "Give the weights with weight=, one for all synapses or a matrix of them."
        raise TypeError(f"{_WHERE} must be a matrix of numbers without weight=, got one of True and False. {cure}")
    return entries


def _are_rows(rule: object, ends: Ends) -> bool:
    """Whether `rule` is a list of lists in the shape of a matrix (sources, targets) or of its transpose."""
    if not isinstance(rule, list) or not all(isinstance(row, (list, tuple)) for row in rule):
        return False
    shapes = (ends.n_pre, ends.n_post), (ends.n_post, ends.n_pre)
    return any(len(rule) == n and {*map(len, rule)} == {m} for n, m in shapes)


def _check_shape(shape: tuple[int, ...], ends: Ends) -> None:
    """Refuse a matrix that is not (sources, targets)."""
    wanted = (ends.n_pre, ends.n_post)
    if shape != wanted:
        cure = " Transpose it." if shape == wanted[::-1] else ""
        if not cure and len(shape) == 2 and 2 in shape:
            cure = " Pass pairs as (pre, post)." if shape[0] == 2 else f" {_PAIRS}"
        if len(shape) > 2 and math.prod(shape) == math.prod(wanted):
            cure = f" Pass it as matrix.reshape{wanted}."
        raise ValueError(f"{_WHERE} must be a matrix of shape {wanted} (sources, targets), got {shape}.{cure}")


def _warn_of_pairs(rule: Sequence[Any], ends: Ends) -> None:
    """Warn of two lists, read as (pre, post), that could as well be two pairs (source, target) or a matrix."""
    if isinstance(rule, tuple) and any(isinstance(part, list) for part in rule):
        return  # nobody writes pairs so
    if not all(isinstance(part, (tuple, list)) for part in rule):
        return
    read, other = ([list(part) for part in parts] for parts in (rule, zip(*rule, strict=False)))
    meant, cures = [], [str(tuple(read))]
    if _are_pairs(read, ends) and _are_pairs(other, ends) and len(read[0]) == 2 and read != other:
        meant.append("two pairs (source, target)")
        cures.append(str(tuple(other)))
    if _are_pairs(read, ends) and _are_rows(rule, ends) and len(read[0]) == ends.n_post:
        entries = [(i, j) for i, row in enumerate(read) for j, weight in enumerate(row) for _ in range(int(weight))]
        if entries != sorted(zip(*read, strict=True)):
            meant.append("a matrix (sources, targets)")
            cures.append(f"np.array({read})")
    if meant:
        which = ", ".join(
            f"{cure} for the {nth}" for cure, nth in zip(cures, ("first", "second", "third"), strict=False)
        )
        warnings.warn(
            f"{_WHERE} {checks.shown(rule)} is read as (pre, post) and could mean {' or '.join(meant)}. Write {which}.",
            stacklevel=users_level(),
        )


def _are_pairs(lists: list[list[Any]], ends: Ends) -> bool:
    """Whether they are two lists of equal length, of sources and of targets that exist."""
    numbers = all(isinstance(index, (int, float)) for part in lists for index in part)
    if not numbers or len(lists) != 2 or len(lists[0]) != len(lists[1]):
        return False
    each = zip(lists, (ends.n_pre, ends.n_post), strict=True)
    return all(0 <= index < n and index == int(index) for part, n in each for index in part)


def _indices(end: str, value: object, n: int, cure: str) -> Array:
    """Flat indices of neurons, 0 <= i < n, as int64. end: "pre" or "post"; cure: the end of an error."""
    where = f"Network.connect.{end} indices"
    indices = np.asarray(checks.magnitude(where, value, ""))
    if indices.ndim != 1:
        raise ValueError(f"{where} must be a list of whole numbers, got shape {indices.shape}.")
    checks.finite(where, indices)
    wrong = np.flatnonzero((indices < 0) | (indices >= n) | (indices != np.rint(indices)))
    if wrong.size:
        raise ValueError(
            f"{where} must be whole numbers from 0 to {n - 1}, got {indices[wrong[0]]:g} for synapse {wrong[0]}.{cure}"
        )
    return indices.astype(np.int64)


def _read(path: Path) -> Array:
    """A text file with a line per synapse, shape (synapses, 2 to 4): source, target and perhaps weight, delay (ms)."""
    table = paths.text_table(_WHERE, path, "Rules are objects such as AllToAll() or FixedProbability(0.1).")
    if not table.size:
        raise ValueError(f"{_WHERE} must be a file with a synapse per line, got none in {str(path)!r}.")
    if not 2 <= table.shape[1] <= 4:
        raise ValueError(
            f"{_WHERE} must have columns source, target, weight, delay (or the first two or three), got "
            f"{counted(table.shape[1], 'column')} in {str(path)!r}."
        )
    return table
