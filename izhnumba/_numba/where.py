"""A choice that equations may make, as arrays, tracers and kernels understand it."""

from __future__ import annotations

import numpy as np


def where(condition, yes, no):
    """`yes` where `condition` holds, else `no`: for numbers, arrays and tracers alike, and inside kernels."""
    namespace = getattr(condition, "__array_namespace__", lambda: np)()
    return namespace.where(condition, yes, no)
