"""Random numbers of a key: normals as an array, and words one by one."""

import numpy as np

from izhnumba._numba.philox import fill_normals

LOW = 0xFFFFFFFF


def slow_philox(counter, key):
    """Figure 4 of Salmon et al. 2011 in whole numbers."""
    c, (k0, k1) = list(counter), key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k0, p1 & LOW, (p0 >> 32) ^ c[3] ^ k1, p0 & LOW]
        k0, k1 = (k0 + 0x9E3779B9) & LOW, (k1 + 0xBB67AE85) & LOW
    return c


def normals(first_step, count, columns, seed, stream, first_column=0):
    """float32, shape (count, columns)."""
    found = np.empty((count, columns), np.float32)
    one, none = np.ones(1, np.float32), np.zeros(1, np.float32)
    fill_normals(found, one, none, first_step, seed, stream, first_column)
    return found
