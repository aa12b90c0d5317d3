"""Connections that are given rather than drawn: pairs of indices, matrices, files of edges."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba import _checks, _paths
from izhnumba._connectivity import Ends, GivenPairs, Rule
from izhnumba._implausible import users_level

Array = NDArray[Any]
_MUST = "a rule such as AllToAll(), a pair (pre, post) of index arrays, a matrix or the path of a file"
_WHERE = "Network.connect.rule"
_PAIRS = "Pass a list of pairs as (pre, post): tuple(np.transpose(pairs))"


def given(rule: Any, weight: Any, delay: Any, ends: Ends) -> tuple[Rule, Any, Any]:
    """What a user passes for a rule, as a rule, with the weights and delays that come with it."""
    if isinstance(rule, Rule):
        return rule, weight, delay
    if isinstance(rule, (str, os.PathLike)):
        table = _read(Path(rule))
        pre, post, columns = table[:, 0], table[:, 1], table.shape[1]
        weight = table[:, 2] if weight is None and columns > 2 else weight
        delay = table[:, 3] if delay is None and columns > 3 else delay
    elif hasattr(rule, "tocoo"):
        matrix = rule.tocoo()
        _check_shape(matrix.shape, ends)
        pre, post, weight = matrix.row, matrix.col, matrix.data if weight is None else weight
    elif hasattr(rule, "__array__") and np.ndim(rule):
        mask = rule.dtype == bool if isinstance(rule, np.ndarray) and weight is not None else False
        entries = np.asarray(rule if mask else _checks.magnitude(_WHERE, rule, ""))
        _check_shape(entries.shape, ends)
        _checks.finite(_WHERE, entries)
        pre, post = np.nonzero(entries)
        weight = entries[pre, post] if weight is None else weight
    elif isinstance(rule, (tuple, list)) and len(rule) == 2:
        pre, post = rule
        _warn_of_pairs(rule, ends)
    else:
        pairs = isinstance(rule, (tuple, list)) and rule and all(np.shape(pair) == (2,) for pair in rule[:9])
        _checks.kind(_WHERE, rule, (), _MUST, f"{_PAIRS}." if pairs else "")
    pre, post = _indices("pre", pre, ends.n_pre), _indices("post", post, ends.n_post)
    if len(pre) != len(post):
        raise ValueError(f"{_WHERE} must have as many targets as sources ({len(pre)}), got {len(post)} targets.")
    return GivenPairs(pre, post), weight, delay


def _check_shape(shape: tuple[int, ...], ends: Ends) -> None:
    wanted = (ends.n_pre, ends.n_post)
    if shape != wanted:
        cure = " Transpose it." if shape == wanted[::-1] else ""
        if not cure and 2 in shape[:2]:
            cure = " Pass pairs as (pre, post)." if shape[0] == 2 else f" {_PAIRS}."
        raise ValueError(f"{_WHERE} must be a matrix of shape {wanted} (sources, targets), got {shape}.{cure}")


def _warn_of_pairs(rule: Any, ends: Ends) -> None:
    """Warn of two lists of two that are taken as (pre, post) and could be two pairs (source, target) as well."""
    if isinstance(rule, tuple) and any(isinstance(part, list) for part in rule):
        return  # nobody writes pairs so
    if not all(isinstance(part, (tuple, list)) and len(part) == 2 for part in rule):
        return
    read, other = ([list(part) for part in parts] for parts in (rule, zip(*rule, strict=True)))
    try:
        possible = read != other and all(0 <= pre < ends.n_pre and 0 <= post < ends.n_post for pre, post in rule)
    except TypeError:  # of what is no number something else is said
        return
    if possible:
        warnings.warn(
            f"{_WHERE} {rule} is read as (pre, post) and could mean two pairs (source, target). Write "
            f"{tuple(read)} for the first, {tuple(other)} for the second.",
            stacklevel=users_level(),
        )


def _indices(end: str, value: Any, n: int) -> Array:
    where = f"Network.connect.{end} indices"
    indices = np.asarray(_checks.magnitude(where, value, ""))
    if indices.ndim != 1:
        raise ValueError(f"{where} must be a list of whole numbers, got shape {indices.shape}.")
    _checks.finite(where, indices)
    wrong = np.flatnonzero((indices < 0) | (indices >= n) | (indices != np.rint(indices)))
    if wrong.size:
        raise ValueError(
            f"{where} must be whole numbers from 0 to {n - 1}, got {indices[wrong[0]]:g} for synapse {wrong[0]}."
        )
    return indices.astype(np.int64)


def _read(path: Path) -> Array:
    """A text file with a synapse per line: source, target and, if it has them, weight and delay (ms)."""
    table = _paths.text_table(_WHERE, path, "Rules are objects such as AllToAll() or FixedProbability(0.1).")
    if not table.size:
        raise ValueError(f"{_WHERE} must be a file with a synapse per line, got none in {str(path)!r}.")
    if not 2 <= table.shape[1] <= 4:
        raise ValueError(
            f"{_WHERE} must have columns source, target, weight, delay (or the first two or three), got "
            f"{table.shape[1]} columns in {str(path)!r}."
        )
    return table
