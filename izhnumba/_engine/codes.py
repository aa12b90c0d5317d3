"""Codes that compiled calls return. They stand apart from the kernels, so that reading them does not import Numba."""

OK = 0
NOT_PLAIN = 1  # nothing has changed: an input of a step is no plain number or array of the right kind
BAD_INPUT = 2  # nothing has changed: an input of a step is not finite
FAILURE = 3  # V or u of a neuron is not finite any more, or, in the exact engine, a neuron does not get on in time
LEAP = 4  # V of a neuron is so low that a step of Euler leads beyond the threshold
ROOM = 5  # the exact engine lacks room for events or spikes; called again with more room, it goes on from there
BUSY = 6  # nothing has changed: another thread is in the midst of a call
RECOUNT = 7  # nothing has changed: BASE must move on, so that steps can be counted in 32 bits
