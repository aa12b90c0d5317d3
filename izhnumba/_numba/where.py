"""`where`: the one choice that equations may make, for NumPy arrays, JAX tracers and kernels alike."""

from __future__ import annotations

import numpy as np


def where(condition, yes, no):
    """`yes` where `condition` holds, else `no`, elementwise."""
    namespace = getattr(condition, "__array_namespace__", lambda: np)()
    return namespace.where(condition, yes, no)
