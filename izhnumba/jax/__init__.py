"""Gradients: the neurons of izhnumba as functions that JAX can differentiate (extra `jax`)."""

try:
    import jax as _jax  # noqa: F401
except ImportError as error:
    needs = 'izhnumba.jax needs jax. Install it, in the folder of the project, with: pip install ".[jax]"'
    raise ImportError(needs) from error

from izhnumba.jax import _surrogates
from izhnumba.jax._fit import Fit, fit
from izhnumba.jax._recurrent import LayerState, recurrent
from izhnumba.jax._run import Outputs, State, init, run
from izhnumba.jax._spike_times import spike_times
from izhnumba.jax._surrogates import *  # noqa: F403

__all__ = [
    "Fit", "LayerState", "Outputs", "State", "fit", "init", "recurrent", "run", "spike_times", *_surrogates.__all__,
]  # fmt: skip
