"""Objects whose public attributes are fixed: a misspelt name is an error, not a new attribute."""

from __future__ import annotations

from typing import Any

from izhnumba import _checks


class Sealed:
    """Only what has a setter, or is not public, can be set after the beginning."""

    def __setattr__(self, name: str, value: Any) -> None:
        own = getattr(type(self), name, None)
        if name.startswith("_") or not vars(self).get("_sealed") or getattr(own, "fset", None):
            super().__setattr__(name, value)
        elif own is not None or name in vars(self):
            raise AttributeError(f"{type(self).__name__}.{name} cannot be changed.")
        else:
            settable = [known for known in dir(type(self)) if getattr(getattr(type(self), known), "fset", None)]
            _checks.unknown(type(self).__name__, name, settable)

    def _seal(self) -> None:
        self._sealed = True
