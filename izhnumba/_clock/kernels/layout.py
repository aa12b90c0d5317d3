"""The tables through which compiled calls reach populations and networks: numbers, then addresses.

Each of the four inputs has an address and, STRIDE and SHARED places behind it, a stride from step to step (0: constant)
and a mark that one value serves all neurons. IN_USE: a call is under way.
"""

BLOCK = 2048  # neurons; state, input and flags of a block, 17 B a neuron in float32, fit the first cache

(
    N, PADDED, STEP, STEPS, BASE, THREADS, N_RECORDS,
    V, U, UNTIL, LAST, N_REF, SPIKES, RASTER, PARAMETERS, CONSTANTS, SCRATCH, REPORT, RECORDS,
    INPUT_I, _, _, INPUT_JUMP, _, _, INPUT_G, _, _, INPUT_GE, _, _,
    RING_STEPS, JUMP_RING, PORTS, N_PORTS, IN_USE, TABLE_SIZE,
) = range(37)  # fmt: skip
STRIDE, SHARED = 1, 2
SCRATCH_ROWS = 7  # per thread: the four inputs, one for `collect`, what goes through the magnesium block
MOST_STEPS = 2**30  # since BASE: `until` counts steps in 32 bits
STRETCH = 64  # steps of all blocks between two looks whether to stop: state stays in the cache for as long

# CONSTANTS: the time step in ms; the V below which a step needs care (the short exprel does not hold, or Euler leaps
# over the threshold); the largest number
DT, CAREFUL_V, HIGHEST = range(3)

# REPORT, one row per block: the first step with a failure, in how many neurons, the first of them, whether it is V;
# whether V fell below CAREFUL_V, and is there now; spikes in this call
FAILED_STEP, FAILED_COUNT, FAILED_LANE, FAILED_V, WAS_CAREFUL, CAREFUL, N_SPIKES, REPORT_SIZE = range(8)

# RECORDS, one row per recorded state: a sample each so many steps; the number of the first sample for which there is
# room, and room for how many; of how many lanes; addresses of the lanes, of where those of each block start among them,
# of the place of each in a sample, of the state and of the samples
(
    RECORD_EVERY, RECORD_FIRST, RECORD_ROOM, RECORD_N, RECORD_LANES, RECORD_STARTS, RECORD_PLACES, RECORD_SOURCE,
    RECORD_SAMPLES, RECORD_SIZE,
) = range(10)  # fmt: skip

# PORTS, one row per receptor: what it adds to; how many states it has; addresses of the ring of arrivals, of the
# states y and x and of its numbers; the input that arrives from outside (address, stride, shared); where its current is
# to be noted (0: nowhere); in how many steps what arrives acts (if several, y is its sum and x what `sum_latest` keeps)
(
    PORT_TARGET, PORT_STATES, PORT_RING, PORT_Y, PORT_X, PORT_NUMBERS, PORT_DRIVE, _, _, PORT_CURRENT, PORT_STEPS,
    PORT_SIZE,
) = range(12)  # fmt: skip
# What y is: a current, a conductance, one behind the magnesium block, or that of gap junctions, which x is their sum of
# conductance times V
TO_CURRENT, TO_CONDUCTANCE, TO_BLOCKED, TO_GAP = range(4)

# The table of a network. POPULATIONS, PROJECTIONS (delivered after a slice) and what comes BEFORE it (V is coupled,
# spikes arrive at plastic synapses): pairs of a kernel's address and a table's address
(
    NET_STEP, NET_STEPS, NET_SLICE, N_POPULATIONS, POPULATIONS, N_PROJECTIONS, PROJECTIONS, N_BEFORE, BEFORE, N_PARTS,
    NET_SIZE,
) = range(11)  # fmt: skip
