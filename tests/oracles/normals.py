"""Normal numbers of a key, as an array."""

import numpy as np

from izhnumba._numba.philox import fill_normals


def normals(first_step, count, columns, seed, stream, first_column=0):
    """float32, shape (count, columns)."""
    found = np.empty((count, columns), np.float32)
    fill_normals(found, np.ones(1, np.float32), first_step, seed, stream, first_column)
    return found
