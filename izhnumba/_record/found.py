"""What results have in common, and packages that a method of theirs needs."""

from __future__ import annotations

import importlib
from typing import Any, NoReturn

from izhnumba._base import checks
from izhnumba._base.sealed import Fixed
from izhnumba._base.words import did_you_mean

_HABITS = {  # of other simulators
    **dict.fromkeys(("time", "times", "spike_times", "ts"), "t"),
    **dict.fromkeys(("indices", "ids", "senders", "neuron", "spike_ids"), "i"),
    **dict.fromkeys(("spike_trains", "all_spike_trains", "segments"), "trains"),
    **{"count": "counts", "rate": "rates", "get": "of"},
    **dict.fromkeys(("v", "voltage", "v_m", "vm", "membrane_potential"), "V"),
}
_MEASURES = {  # of izhnumba.analysis, by what users would look for here
    **{name: name for name in ("isi", "cv", "cv2", "lv", "fano_factor", "bursts")},
    **{"isis": "isi", "intervals": "isi", "fano": "fano_factor", "burst": "bursts"},
    **dict.fromkeys(("correlation", "correlations", "spike_count_correlation"), "spike_count_correlation"),
    **dict.fromkeys(("spectrum", "psd", "rate_spectrum"), "rate_spectrum"),
}


class Found(Fixed):
    """Base class of results: they cannot be changed, and names of other simulators lead to ours."""

    def _cure(self, name: str) -> str:
        """Cure for a name that is not there."""
        return ""

    def __getattr__(self, name: str) -> NoReturn:
        cure = ""
        if name[:1] != "_":  # else Python itself asks, also while it copies
            known, meant = [known for known in dir(self) if known[:1] != "_"], _HABITS.get(name.lower(), name)
            cure = measure(name) or did_you_mean(name, known, meant) or self._cure(meant)
        raise AttributeError(f"{type(self).__name__} has no {name!r}. {cure}".rstrip())

    def __getitem__(self, key: object) -> Any:
        known = ", ".join(known for known in dir(self) if known[:1] != "_")
        raise TypeError(f"{type(self).__name__} has no items, got [{checks.shown(key)}]. Read its attributes: {known}.")


def measure(name: str) -> str:
    """Cure for a name that spikes do not have because `izhnumba.analysis` has it, else ""."""
    found = _MEASURES.get(name.lower())
    return f"Use izhnumba.analysis.{found}(spikes)." if found else ""


def optional(method: str, module: str) -> Any:
    """A module of a package that this method alone needs."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise ImportError(f"{method} needs {package}. Install it with: pip install {package}") from None
