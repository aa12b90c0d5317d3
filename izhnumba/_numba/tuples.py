"""Tuples in kernels, as long as a list of functions: traces of a rule of plasticity, of which there may be any few."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from izhnumba._numba.compile import inlined

MOST = 4  # members


def tuple_of(parts: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    """A function of four arguments for kernels: the tuple of what each of at most four parts returns for them."""
    first, second, third, fourth = _padded(parts)

    def none(a, b, c, d):
        return ()

    def one(a, b, c, d):
        return (first(a, b, c, d),)

    def two(a, b, c, d):
        return first(a, b, c, d), second(a, b, c, d)

    def three(a, b, c, d):
        return first(a, b, c, d), second(a, b, c, d), third(a, b, c, d)

    def four(a, b, c, d):
        return first(a, b, c, d), second(a, b, c, d), third(a, b, c, d), fourth(a, b, c, d)

    return inlined((none, one, two, three, four)[len(parts)])


def put_tuple(parts: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    """A function of three arguments and a tuple for kernels: it calls each part with them and its member."""
    first, second, third, fourth = _padded(parts)

    def none(a, b, c, z):
        return

    def one(a, b, c, z):
        first(a, b, c, z[0])

    def two(a, b, c, z):
        first(a, b, c, z[0])
        second(a, b, c, z[1])

    def three(a, b, c, z):
        first(a, b, c, z[0])
        second(a, b, c, z[1])
        third(a, b, c, z[2])

    def four(a, b, c, z):
        first(a, b, c, z[0])
        second(a, b, c, z[1])
        third(a, b, c, z[2])
        fourth(a, b, c, z[3])

    return inlined((none, one, two, three, four)[len(parts)])


def _padded(parts: Sequence[Callable[..., Any]]) -> list[Any]:
    """The parts, to become part of others, and None up to MOST."""
    return [inlined(one) for one in parts] + [None] * (MOST - len(parts))
