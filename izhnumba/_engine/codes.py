"""What a compiled call returns. Apart from the kernels, so that reading it does not import Numba."""

OK = 0
NOT_PLAIN = 1  # the current of a step does not lie in memory as it must, or steps must be counted anew
BAD_INPUT = 2  # the current of a step is not finite; nothing has changed
FAILURE = 3  # V or u of a neuron is not finite any more
LEAP = 4  # V is so low that a step of Euler leads to beyond the threshold
ROOM = 5  # the exact engine lacks room for events or spikes; it goes on from there when called again
BUSY = 6  # another thread is in the midst of a call; nothing has changed
