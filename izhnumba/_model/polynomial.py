"""Symbolic V, u and I: call an equation with these polynomials to read off its coefficients.

Coefficients are numbers or arrays with an entry per neuron. A comparison that depends on V or u is undecided; `where`
then takes only branches that are equal, so that rules which a neuron's parameters leave out do no harm.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Powers = tuple[int, int, int]  # of V, u and I
_CONSTANT: Powers = (0, 0, 0)


class Polynomial:
    """A sum of coefficients times powers of V, u and I."""

    __array_ufunc__ = None  # arrays on the left leave the operation to this class

    def __init__(self, terms: dict[Powers, Any]) -> None:
        self.terms = terms

    def __getitem__(self, powers: Powers) -> Any:
        return self.terms.get(powers, 0.0)

    def within(self, *powers: Powers) -> bool:
        """Whether it has no other terms than these."""
        return all(key in powers or not np.any(value) for key, value in self.terms.items())

    def __add__(self, other: object) -> Polynomial:
        terms = dict(self.terms)
        for key, value in polynomial(other).terms.items():
            terms[key] = terms[key] + value if key in terms else value
        return Polynomial(terms)

    def __mul__(self, other: object) -> Polynomial:
        terms: dict[Powers, Any] = {}
        for (i, j, k), x in self.terms.items():
            for (a, b, c), y in polynomial(other).terms.items():
                key = (i + a, j + b, k + c)
                terms[key] = terms[key] + x * y if key in terms else x * y
        return Polynomial(terms)

    def __truediv__(self, other: object) -> Polynomial:
        if isinstance(other, Polynomial):
            return NotImplemented
        return Polynomial({key: value / other for key, value in self.terms.items()})

    def __pow__(self, exponent: int) -> Polynomial:
        if exponent not in (1, 2, 3):
            return NotImplemented
        return self if exponent == 1 else self * self ** (exponent - 1)

    def __neg__(self) -> Polynomial:
        return self * -1.0

    def __sub__(self, other: object) -> Polynomial:
        return self + -polynomial(other)

    def __rsub__(self, other: object) -> Polynomial:
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def __gt__(self, other: object) -> Comparison:
        difference = self - other
        return Comparison(difference[_CONSTANT], difference.within(_CONSTANT))

    def __lt__(self, other: object) -> Comparison:
        return -self > -polynomial(other)

    __ge__, __le__ = __gt__, __lt__


def polynomial(value: object) -> Polynomial:
    return value if isinstance(value, Polynomial) else Polynomial({_CONSTANT: np.asarray(value, float)})


V, U, I = (Polynomial({powers: 1.0}) for powers in ((1, 0, 0), (0, 1, 0), (0, 0, 1)))  # noqa: E741


class Comparison:
    """Whether a polynomial is above 0, for each neuron: that holds, fails or is undecided."""

    def __init__(self, constant: Any, decided: bool) -> None:
        with np.errstate(invalid="ignore"):
            known = decided | np.isinf(constant)
            self.holds, self.fails = known & (constant > 0), known & ~(constant > 0)

    def __array_namespace__(self) -> Any:
        return type(self)

    @staticmethod
    def where(condition: Comparison, yes: object, no: object) -> Polynomial:
        """`yes` or `no`, coefficient by coefficient; TypeError where it is undecided which, and they differ."""
        yes, no, terms = polynomial(yes), polynomial(no), dict[Powers, Any]()
        for key in {**yes.terms, **no.terms}:
            one, other = np.asarray(yes[key]), np.asarray(no[key])
            if np.any(~condition.holds & ~condition.fails & (one != other)):
                raise TypeError("an equation that changes with V or u is no polynomial")
            terms[key] = np.where(condition.fails, other, one)
        return Polynomial(terms)
