"""The tables of the exact engine: of a population, of its blocks, and of the network that moves on all populations.

Entries are integers or addresses; those marked (float) hold the bits of a float64. A block is a run of neurons that one
thread owns, with what is under way to them.
"""

import numpy as np

# --- A population. A cell is a row of numbers: those that a bench begins with (`bench.Bench`), and behind them scales
# of what arrives (V jumps, currents, conductances), constants that lead from x and y to V and u, the refractory
# period, the trapping rectangle with the input that it bears, when the last thousand spikes began, and by what each
# state of a port must be multiplied for a bound of the input that it will ever be. V, U and SHOWN: where the present
# state is written, twice, so that it shows whether somebody has set it; SHOWN_RECORD: the record for that. INLETS:
# receptors and drives through which spikes act. PLASTIC: for each rule the addresses of what arrivals and spikes call,
# and of the table of the projection. Pieces of the input: PIECE is in force; FIRST_PIECE .. LAST_PIECE are known, with
# BREAKS at which they begin and VALUES of the rows PIECE_ROWS. CUT: the slice ends at a break.
(
    N, N_BLOCKS, CELLS, CELL_SIZE, NEXT, LAST, NUMBERS, PARAMETERS, BLOCKS, INLETS, N_PLASTIC, PLASTIC,
    V, U, SHOWN, SHOWN_RECORD,
    PIECE, FIRST_PIECE, LAST_PIECE, BREAKS, PIECE_ROWS, N_PIECE_ROWS, PIECE_VALUES, PIECE_STRIDE, CUT,
    SOFT, STEP, ADVANCE, LOOK, TABLE_SIZE,
) = range(30)  # fmt: skip
(
    JUMP, CURRENT, CONDUCTANCE, P, HALF, Y0, GU, TAU_REF, X_LOW, X_HIGH, Y_LOW, Y_HIGH, STILL, SINCE, COUNT, N_MORE,
) = range(16)  # fmt: skip

# --- A block. CHUNKS of events are linked lists, one for each slot of time, whose newest chunk is its TAIL, FILLED so
# far. Events from OUTSIDE are those of the whole call. Events of a slice are SORTED by neuron and time; those of a
# neuron lie between its CURSOR and its END. N_STEPS: of eight neurons each, up to LAST_STEP in this call.
(
    FIRST, N_CELLS, CHUNKS, LINKS, N_CHUNKS, FREE, N_FREE, TAILS, FILLED, OUTSIDE, N_OUTSIDE,
    SORTED, SORTED_ROOM, CURSORS, ENDS, BENCH, OWNERS,
    SPIKE_T, SPIKE_I, SPIKE_ROOM, N_SPIKES, DELIVERED, GATHERED, WANTED_SORTED, WANTED_CHUNKS, N_STEPS, LAST_STEP,
    FAILED, FAILED_NEURON, FAILED_TIME, BLOCK_SIZE,
) = range(31)  # fmt: skip
LANES = 8
CHUNK = 32  # events
RUNAWAY = 1000  # spikes of a neuron within a ms
MOST_STEPS = 2**14  # of a block in one call, so that Ctrl-C never waits long
STUCK = 2**10, 1e-5  # in so many steps a neuron must come on by so many ms, or it never will
MOST_VISITS = 2**21  # of neurons in the slices of one call, for the same reason
SLICE_VISITS = 64  # what a slice costs besides
MOST_SPIKES = 16  # of eight neurons in one step: at a crossing, and then by what arrives

EVENT = np.dtype([("t", "<f8"), ("w", "<f8"), ("key", "<i8"), ("target", "<i4"), ("inlet", "<i2"), ("rule", "<i2")])
EVENT_SIZE = 32  # bytes
FIRST_KEY = 2**60  # of events of synapses: those from outside come first

# --- An inlet: the row of a cell to which what arrives is added, the scale to multiply by, and a factor (float).
INLET_ROW, INLET_SCALE, INLET_FACTOR, INLET_SIZE = range(4)

# --- A network. POPULATIONS and PROJECTIONS: tables; RECORDS: rows. NOW, UNTIL (the end of the call), END (of the
# slice), PER_MS (slots of time) and FED (until when events from outside have been taken over) are floats. FRESH: the
# call has not begun.
(
    NOW, UNTIL, END, PER_MS, FED, FRESH, SLOTS, SERIAL, PHASE,
    N_POPULATIONS, POPULATIONS, N_PROJECTIONS, PROJECTIONS, N_RECORDS, RECORDS, N_ALL_BLOCKS, ALL_BLOCKS, N_PARTS,
    CODES, GATHER, DELIVER_TO, NET_SIZE,
) = range(22)  # fmt: skip

# --- A projection to a population. Its events have keys from KEY on; DONE: by part, the slice that has been delivered.
# With a RULE (its number among those of the target): what it keeps, the addresses of its numbers, and when it updates.
# A record: every (float) ms, the number of the next sample and of the first one for which there is room, how many
# lanes, their addresses and places, what is sampled, and where to.
(
    SOURCE, TARGET, FIRST_ROW, N_ROWS, PARTS, STARTS, TARGETS, DELAYS, WEIGHTS, KEY, INLET, RULE, DONE,
    MEMORY, Y1, Y2, SPIKED, TAUS, RULE_NUMBERS, INCOMING, INCOMING_STARTS, MODULATOR, UPDATE, UPDATES, PERIOD,
    PROJECTION_SIZE,
) = range(26)  # fmt: skip
(
    RECORD_TABLE, RECORD_EVERY, RECORD_NEXT, RECORD_FIRST, RECORD_ROOM, RECORD_N, RECORD_NEURONS, RECORD_PLACES,
    RECORD_WHAT, RECORD_SAMPLES, RECORD_BENCH, RECORD_SIZE,
) = range(12)  # fmt: skip
OF_V, OF_U, OF_PORT = range(3)  # what is sampled: the current of port k is OF_PORT + k
