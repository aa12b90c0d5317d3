"""Connections that are given rather than drawn: pairs of indices, matrices, files of edges."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from izhnumba import _checks, _paths
from izhnumba._connectivity import Ends, GivenPairs, Rule

Array = NDArray[Any]
_MUST = "a rule such as AllToAll(), a pair (pre, post) of index arrays, a matrix or the path of a file"
_WHERE = "Network.connect.rule"


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
    else:
        _checks.kind(_WHERE, rule, (), _MUST)
    pre, post = _indices("pre", pre, ends.n_pre), _indices("post", post, ends.n_post)
    if len(pre) != len(post):
        raise ValueError(f"{_WHERE} must have as many targets as sources ({len(pre)}), got {len(post)} targets.")
    return GivenPairs(pre, post), weight, delay


def _check_shape(shape: tuple[int, ...], ends: Ends) -> None:
    wanted = (ends.n_pre, ends.n_post)
    if shape != wanted:
        cure = " Transpose it." if shape == wanted[::-1] else " Pass pairs as (pre, post)." if shape[:1] == (2,) else ""
        raise ValueError(f"{_WHERE} must be a matrix of shape {wanted} (sources, targets), got {shape}.{cure}")


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
