"""`where`: the one choice that equations may make, for NumPy arrays, JAX tracers and kernels alike."""

from __future__ import annotations

from typing import Any

import numpy as np


def where(condition: Any, yes: object, no: object) -> Any:
    """`yes` where `condition` holds, else `no`, elementwise: in place of `if` in the equations of a model.

    Parameters
    ----------
    condition : bool, or an array or tracer of bool
        A comparison such as V > p.c.
    yes, no : float, array or tracer
        Both are computed, whatever the condition is.

    Examples
    --------
    >>> import izhnumba as iz
    >>> def threshold(u, p):
    ...     return iz.where(u > p.u_high, p.V_high, p.V_th)
    """
    namespace = getattr(condition, "__array_namespace__", lambda: np)()
    return namespace.where(condition, yes, no)
