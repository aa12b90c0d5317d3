"""Address tables of the clock engine: of a population, its blocks, records and receptors, and of the network.

A table is a row of int64; entries are counts or addresses of arrays. "real" is the dtype of the population, float32 or
float64. A lane is a place in a padded array: lane i holds neuron i, and lanes N to PADDED are there so that loops run
over whole SIMD vectors. A block is BLOCK lanes, which take STRETCH steps before the next ones do.
"""

BLOCK = 2048  # lanes; state, input and flags of a block, 13 to 17 B a lane in float32, about fill the first cache

# --- A population.
# N, PADDED     neurons, lanes (a multiple of 64)
# STEP          steps done since the last reset
# STEPS         steps to do in this call
# SLICED, BEGAN steps at which the slice, whose first row the inputs point at, and this call began
# BASE          step from which the int32 counts of REFRACTORY_UNTIL are counted
# THREADS       threads of this call
# N_RECORDS     rows of RECORDS
# V, U          real (PADDED,): V in mV; u
# REFRACTORY_UNTIL   int32 (PADDED,): first step since BASE in which the neuron moves again; empty if tau_ref is 0
# LAST          int64 (PADDED,): step of the last spike, -1 before the first
# REFRACTORY_STEPS   int32 (PADDED,): steps after the spike's own for which V and u stay
# SPIKES        uint8 (PADDED,): 1 if the neuron spiked in the latest step
# RASTER        uint64 (STEPS, PADDED / 64): one bit per neuron and step of this call; RASTER_SLACK words behind it may
#               be read
# PARAMETERS    int64 (MAX_PARAMETERS,): address of each parameter, real (PADDED,) or (1,)
# CONSTANTS     real (CONSTANTS_SIZE,), see below
# SCRATCH       real (THREADS, SCRATCH_ROWS, BLOCK)
# REPORT        int64 (blocks, REPORT_SIZE), see below
# RECORDS       int64 (N_RECORDS, RECORD_SIZE), see below
# RECORDER      address of the kernel that takes their samples
# LAST_RECORDER the same where V jumps come after the step (`kernels.at_once`); RECORDER does nothing then
# INPUT_I, INPUT_DELTA, INPUT_G, INPUT_GE   real (STEPS or 1, N or PADDED or 1): current in the model's unit, V jumps in
#               mV, sum of conductances g, sum of g E. STRIDE places behind each: numbers from one step to the next, 0
#               if it is constant; SHARED places behind each: 1 if one number is for all neurons
# NOISE         the table of the noise that is the current, instead of INPUT_I; 0 if there is none
# RING_STEPS    rows of each ring of arrivals, steps
# DELTA_RING    real (RING_STEPS, PADDED): V jumps under way, mV; the row of step k is k % RING_STEPS
# RECEPTORS     int64 (N_RECEPTORS, RECEPTOR_SIZE), see below
# IN_USE        1 while a call is under way
# START, STOP   the steps of this call that each block does now
# FORM          what differs between kinds of populations, FORM_SIZE entries: ADVANCE_BLOCK, STEP_LANES, RECEIVE, NOTE:
#               addresses of kernels (0: not needed); whether V jumps come from DELTA_RING (RING), there is a refractory
#               period (REFRACTORY), V jumps come from INPUT_DELTA (DELTAS), there are conductances (CONDUCTANCES) and
#               such behind a gate (GATED), and V below CAREFUL_V must be told (LEAPS)
(
    N, PADDED, STEP, STEPS, SLICED, BEGAN, BASE, THREADS, N_RECORDS,
    V, U, REFRACTORY_UNTIL, LAST, REFRACTORY_STEPS, SPIKES, RASTER, PARAMETERS, CONSTANTS, SCRATCH, REPORT, RECORDS,
    RECORDER, LAST_RECORDER,
    INPUT_I, _, _, INPUT_DELTA, _, _, INPUT_G, _, _, INPUT_GE, _, _,
    NOISE, RING_STEPS, DELTA_RING, RECEPTORS, N_RECEPTORS, IN_USE, START, STOP,
    ADVANCE_BLOCK, STEP_LANES, RECEIVE, NOTE, RING, REFRACTORY, DELTAS, CONDUCTANCES, GATED, LEAPS, TABLE_SIZE,
) = range(54)  # fmt: skip
STRIDE, SHARED = 1, 2
FORM, FORM_SIZE = ADVANCE_BLOCK, TABLE_SIZE - ADVANCE_BLOCK
RASTER_SLACK = 64
SCRATCH_ROWS = 8  # I, delta, g and gE as lanes, g and gE behind a gate, WORK, and the share of a part in arrivals
MOST_STEPS = 2**30  # from BASE to STEP, so that REFRACTORY_UNTIL fits 32 bits
STRETCH = 64  # steps of a block before the next block: its state stays in the cache, failures end the call soon after

# CONSTANTS: DT, ms; CAREFUL_V, mV: below it a step needs care, for the short exprel does not hold, or a step of Euler
# leads beyond the threshold; HIGHEST: the largest finite number; CAP_V, mV: above it, too, the short one does not hold
DT, CAREFUL_V, HIGHEST, CAP_V, CONSTANTS_SIZE = range(5)

# REPORT, one row per block: FAILED_STEP, the first step after which V or u of a neuron is not finite; FAILED_COUNT, of
# how many neurons; FAILED_LANE, the first of them, counted from the block's first; FAILED_V, whether its V failed;
# WAS_CAREFUL, whether V of a neuron fell below CAREFUL_V; CAREFUL, whether one is below it now; N_SPIKES of this call
FAILED_STEP, FAILED_COUNT, FAILED_LANE, FAILED_V, WAS_CAREFUL, CAREFUL, N_SPIKES, REPORT_SIZE = range(8)

# RECORDS, one row per recorded state: RECORD_EVERY, steps from sample to sample; RECORD_FIRST, number of the sample in
# row 0 of RECORD_SAMPLES; RECORD_ROOM, rows there; RECORD_N, neurons recorded; RECORD_NEURONS, int64 (RECORD_N,),
# ascending; RECORD_STARTS, int64 (blocks + 1,): where the neurons of each block begin among them; RECORD_PLACES, int64
# (RECORD_N,): the column of each in a sample, or 0 if they are consecutive, and their columns too; RECORD_SOURCE, real
# (PADDED,): the state; RECORD_SAMPLES, real (RECORD_ROOM, RECORD_N); RECORD_REDUCTION, the table of a reduction, whose
# results are written instead (`_engine.reduction`), or 0
(
    RECORD_EVERY, RECORD_FIRST, RECORD_ROOM, RECORD_N, RECORD_NEURONS, RECORD_STARTS, RECORD_PLACES, RECORD_SOURCE,
    RECORD_SAMPLES, RECORD_REDUCTION, RECORD_SIZE,
) = range(11)  # fmt: skip

# RECEPTORS, one row per receptor: RECEPTOR_TARGET, what it adds to (below); RECEPTOR_STATES, how many states it has;
# RECEPTOR_RING, real (RING_STEPS, PADDED): weights under way; RECEPTOR_Y, RECEPTOR_X, real (PADDED,): its states;
# RECEPTOR_NUMBERS: its propagator and reversal potential (`kernels.receptors`); RECEPTOR_CURRENT, real (PADDED,): where
# its current is written, 0: nowhere; RECEPTOR_STEPS: for how many steps what arrives acts (if for several, y is its
# sum, and x holds the rows of `sum_latest`); FIRST_PART, LAST_PART: whether it is the first, and the last, of those
# that share its ring, whose currents are added up; RECEPTOR_ADVANCE: address of the kernel (`kernels.states`) that
# advances its states x, of which y is the strength, 0: they are linear; RECEPTOR_PARAMETERS, int64: the address of each
# number that this kernel takes
(
    RECEPTOR_TARGET, RECEPTOR_STATES, RECEPTOR_RING, RECEPTOR_Y, RECEPTOR_X, RECEPTOR_NUMBERS, RECEPTOR_CURRENT,
    RECEPTOR_STEPS, FIRST_PART, LAST_PART, RECEPTOR_ADVANCE, RECEPTOR_PARAMETERS, RECEPTOR_SIZE,
) = range(13)  # fmt: skip
# RECEPTOR_TARGET: y is a current, a conductance, a conductance behind a gate that V opens, the sum of the conductances
# w of gap junctions, of which x is the sum of w V of the sources, or a current behind a gate. V jumps have DELTA_RING
# and no row here
TO_CURRENT, TO_CONDUCTANCE, TO_GATED, TO_GAP, TO_V, TO_GATED_CURRENT = range(6)

# --- Noise that is the current of a population (`kernels.noise`).
# NOISE_CALL    address of the kernel
# NOISE_SEED, NOISE_STREAM   the key of the numbers
# NOISE_SCALE, NOISE_SHIFT   float32 and real, (N,) if NOISE_VARIES, else (WIDTH,)
# NOISE_ROWS    real (blocks, 4, BLOCK): row k % 4 of a block is for step k
# NOISE_MADE    int64 (blocks, 2): from which step on, and up to which, the rows are there
# NOISE_UNTIL   the step up to which they may be made
# NOISE_RELAX   address of the kernel that makes an Ornstein-Uhlenbeck process of the numbers; 0 if the noise is white
# NOISE_X       float64 (N,): the latest values of the process (`relax_row`)
# NOISE_KEEP    float64 (1,), as it takes it
# NOISE_OFFSET  real, like NOISE_SHIFT: what is added to the process
# NOISE_FIRST   float32, like NOISE_SCALE, instead of which it is in the step NOISE_AFRESH, in which the process begins
# NOISE_AFTER   float64 (N,): x when NOISE_UNTIL has been reached
(
    NOISE_CALL, NOISE_SEED, NOISE_STREAM, NOISE_SCALE, NOISE_SHIFT, NOISE_VARIES, NOISE_ROWS, NOISE_MADE, NOISE_UNTIL,
    NOISE_RELAX, NOISE_X, NOISE_KEEP, NOISE_OFFSET, NOISE_FIRST, NOISE_AFRESH, NOISE_AFTER, NOISE_SIZE,
) = range(17)  # fmt: skip

# --- A spike source: of the entries of a population it has N, PADDED, STEP, STEPS, BEGAN, REPORT and RASTER, of which
# only the rows of the present slice of the network are there, and more:
# SENT_ROWS     uint64 (slice, PADDED / 64): these rows; RASTER_SLACK words behind them may be read
# SENT_FILLED, N_FILLED   uint32: which words of these rows are not 0, and how many
# SENT_FROM     the first step for which its spikes are listed
# SENT_STARTS, SENT_COUNTS   int64 (steps + 1,), (steps,): where those of each step begin, and how many have been sent
# SENT_CELLS, SENT_WEIGHTS   uint32, float32 (spikes,): those of weight 0 are none; of a step that has been sent each is
# there once
(
    SENT_ROWS, SENT_FILLED, N_FILLED, SENT_FROM, SENT_STARTS, SENT_COUNTS, SENT_CELLS, SENT_WEIGHTS, SOURCE_SIZE,
) = range(TABLE_SIZE, TABLE_SIZE + 9)  # fmt: skip

# WORK, one per thread: what kernels need to know of the block and step that they work on. FIRST_LANE, COUNT, VALID: the
# first lane, how many there are, and how many of them hold neurons; NOW: the step since BASE. Then addresses: of the
# first lane in V, u, REFRACTORY_UNTIL and SPIKES; of the inputs of the step, real (COUNT,); of the states y and x of
# a receptor whose current is to be noted; of what arrives at one that has a kernel of its own
(
    FIRST_LANE, COUNT, VALID, NOW, W_V, W_U, W_UNTIL, W_SPIKES, W_I, W_DELTA, W_G, W_GE, W_B, W_BE, W_Y, W_X, W_ROW,
    WORK_SIZE,
) = range(18)  # fmt: skip

# --- A call of a population by itself: the address of its table, then its FORM.
CALL_SIZE = 1 + FORM_SIZE

# --- A network.
# NET_STEP      steps done since the last reset
# NET_STEPS     steps to do in this call
# NET_SLICE     steps of a slice: the shortest delay
# POPULATIONS, PROJECTIONS, BEFORE   int64 (N_..., 2): address of a kernel, address of the table that it is called with.
#               Populations advance for a slice; then projections deliver its spikes. BEFORE each slice gap junctions
#               are summed up and spikes arrive at plastic synapses
# SPIKE_INPUTS  int64 (N_SPIKE_INPUTS, 2): the same of spikes from outside, which come into the rings after that
# N_PARTS       parts of the cells or targets, which threads share
# DELIVERIES    int64 (N_DELIVERIES, 2): the same of the receptors to which spikes are delivered
# LISTS         int64 (N_LISTS, 2): the same of the lists of spikes that recorders keep
(
    NET_STEP, NET_STEPS, NET_SLICE, N_POPULATIONS, POPULATIONS, N_PROJECTIONS, PROJECTIONS, N_BEFORE, BEFORE, N_PARTS,
    N_SPIKE_INPUTS, SPIKE_INPUTS, N_DELIVERIES, DELIVERIES, N_LISTS, LISTS, NET_SIZE,
) = range(17)  # fmt: skip

# --- Delivery to a receptor (`kernels.delivery`).
# POPULATION    the table of the target population, whose RING_STEPS are the steps of the window
# ARRIVALS      real (RING_STEPS, PADDED), the ring: row k % RING_STEPS holds what arrives in step k
# WINDOWED      0: the ring holds all that is under way, and rows are delivered to their ends at once: none waits
# SHORTEST      the shortest delay, steps
# SENDERS       int64 (N_SENDERS,): the tables of the projections to this receptor, in the order of `connect`
# FETCHED       cache lines of a row that are fetched ahead
# FAR           1: rows under way and the window fit no cache
# SHARES        parts of the cells of the window, each of which one thread owns
# QUEUES        int64 (SHARES, QUEUE_SIZE), see below: a queue for each part
# MOST_SENT     rows that may come into a queue before it is gone through again
# BACKLOG       real (BACKLOG_STEPS, PADDED): what arrives after the window of spikes that were sent before all those in
#               the queue: row k % BACKLOG_STEPS is for step k
# BACKLOG_END   the step from which on there is nothing in the backlog; 0: there is none
# SETTLES       1: at the end of a call the queue is emptied into the backlog, for weights may be others at the next
(
    POPULATION, ARRIVALS, WINDOWED, SHORTEST, SENDERS, N_SENDERS, FETCHED, FAR, SHARES, QUEUES, MOST_SENT, BACKLOG,
    BACKLOG_STEPS, BACKLOG_END, SETTLES, DELIVERY_SIZE,
) = range(16)  # fmt: skip
# A queue: QUEUE_ENTRIES, int64 (QUEUE_ROOM, ENTRY_SIZE); QUEUE_COUNT, entries in use; OPENED, the step that follows the
# window. An entry: NEXT, the first synapse of a row that has not been delivered, and END of the row (of a dense
# projection NEXT is the row); SENT, the step of the spike; SENDER, the table of the projection
QUEUE_ENTRIES, QUEUE_ROOM, QUEUE_COUNT, OPENED, QUEUE_SIZE = range(5)
NEXT, END, SENT, SENDER, ENTRY_SIZE = range(5)
OPEN, SETTLE = -1, -2  # instead of a step: open the window that begins now; empty the queue into the backlog

# --- What arrives at a receptor in the step of the spike (`kernels.at_once`).
# LANDS_ON      the table of the target population
# LANDING       real (PADDED,): what has arrived in this step; 0 between steps
# LANDING_FROM  int64 (N_LANDING_FROM,): the tables of static projections, in the order of `connect`
# STATE         real (PADDED,): the state that it adds to; 0: V
# FACTORS       real (2,): of what is added to a state, one after the other
# LANDS_LAST    whether there is no other part of the receptor that LANDING adds to
# HARD          whether the reset sets V to a number, whatever it was
# FLOORS        real (PADDED,) if FLOORS_VARY, else (1,): V_min, mV
(
    LANDS_ON, LANDING, LANDING_FROM, N_LANDING_FROM, STATE, FACTORS, LANDS_LAST, HARD, FLOORS, FLOORS_VARY,
    LANDING_SIZE,
) = range(11)  # fmt: skip

# --- All-to-all synapses that share a weight (`kernels.shared`).
# SHARED_SOURCE, SHARED_TARGET   the tables of the populations
# SHARED_SOURCES, SHARED_TARGETS   uint64 (PADDED / 64,) of each: a bit for every neuron that sends or receives
# SHARED_DELAY   steps
# SHARED_HOLES   whether no neuron reaches itself, in one population
# SHARED_WEIGHT  real (1,)
# SHARED_RING, SHARED_AT_ONCE   as RING and AT_ONCE of a projection
# SHARED_COUNTS  int64 (SHARED_DELAY or 1,): how many sources spiked in step k, at k modulo the delay
# SHARED_SUMS    real (SHARED_DELAY or 1, 2): the sums of so many weights, and of one less
# SHARED_SENT    uint64 (SHARED_DELAY or 1, PADDED / 64): who spiked; empty without SHARED_HOLES
(
    SHARED_SOURCE, SHARED_TARGET, SHARED_SOURCES, SHARED_TARGETS, SHARED_DELAY, SHARED_HOLES, SHARED_WEIGHT,
    SHARED_RING, SHARED_AT_ONCE, SHARED_COUNTS, SHARED_SUMS, SHARED_SENT, SHARED_SIZE,
) = range(13)  # fmt: skip

# --- Spikes from outside (`kernels.spikes`).
# SPIKES_TARGET  the table of the population, of which SPIKES_FIRST is the first of the neurons
# SPIKES_RING    real (RING_STEPS, PADDED), of a receptor: row k % RING_STEPS holds what arrives in step k
# SPIKES_STARTS  int64 (steps + 1,): where those of each step begin, from step SPIKES_STEP on
# SPIKES_NEURONS, SPIKES_WEIGHTS   uint32 (spikes,), real (spikes,)
(
    SPIKES_TARGET, SPIKES_FIRST, SPIKES_RING, SPIKES_STEP, SPIKES_STARTS, SPIKES_NEURONS, SPIKES_WEIGHTS, SPIKES_SIZE,
) = range(8)  # fmt: skip

# --- Rows from outside (`kernels.injected`).
# INJECTED_TARGET  the table of the population, of which INJECTED_FIRST is the first of INJECTED_N neurons
# INJECTED_RING    real (RING_STEPS, PADDED), of a receptor: row k % RING_STEPS is for step k
# INJECTED_NEURONS uint32 (N,): which neurons from the first on they are; 0: one after the other
# INJECTED_ROWS    real, from step INJECTED_STEP on: numbers from one step to the next are INJECTED_STRIDE, 0 if it is
#                  constant; INJECTED_SHARED: 1 if one number is for all neurons
(
    INJECTED_TARGET, INJECTED_FIRST, INJECTED_N, INJECTED_RING, INJECTED_NEURONS, INJECTED_ROWS, INJECTED_STEP,
    INJECTED_STRIDE, INJECTED_SHARED, INJECTED_SIZE,
) = range(10)  # fmt: skip

# --- A list of spikes (`kernels.raster`).
# LIST_POPULATION  the table of the population, of whose neurons those from LIST_FIRST on, before LIST_LAST, are listed
# LIST_EVERY       0: a row is a neuron and the step of its spike; else a bin of so many steps, and how many spikes of
#                  a step are in it
# LIST_COUNTS      int64 (3,), see below
# LIST_ROWS, LIST_MORE   int64 (ROOM,): the columns
LIST_POPULATION, LIST_FIRST, LIST_LAST, LIST_EVERY, LIST_COUNTS, LIST_ROWS, LIST_MORE, LIST_SIZE = range(8)
# LIST_COUNTS: LISTED, rows so far; UPTO, the step up to which spikes have been listed; ROOM for rows, 0: none is to be
# added
LISTED, UPTO, ROOM = range(3)
