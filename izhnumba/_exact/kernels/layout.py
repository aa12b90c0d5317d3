"""Address tables of the exact engine: of a population, its blocks, records and projections, and of the network.

A table is a row of int64: counts, addresses of arrays, or, marked (float), the bits of a float64. Times are in ms. A
block is a run of neurons that one thread owns, with the events that are under way to them.
"""

import numpy as np

# --- A population.
# N, N_BLOCKS      neurons, blocks
# STATES           float64 (N, STATE_SIZE): state and constants of each neuron, see below
# NEXT             float64 (N + LANES,): time before which a neuron needs no step, -inf if events of the slice wait
# LAST             float64 (N,): time of the last spike, -inf before the first
# NUMBERS          float64 (receptors, 4): alpha, beta, delta, gamma of each receptor with states (`kernels.simd_rows`)
# PARAMETERS       int64 (MAX_PARAMETERS,): address of each parameter, float64 (N,)
# BLOCKS           int64 (N_BLOCKS, BLOCK_SIZE): tables of blocks
# INLETS           int64 (receptors, INLET_SIZE): receptors and drives through which events act, see below
# PLASTIC          int64 (N_PLASTIC, 3): for each rule, addresses of its kernels `arrive` and `spike`, and of the table
#                  of its projection
# V, U             float64 (N or more,): V in mV and u, as users read and set them
# SHOWN            float64 (2, N): V and u as they were last written there: what differs has been set by the user
# SHOWN_RECORD     int64 (RECORD_SIZE,): the record with which they are written
# Input is constant in pieces, which follow each other:
# PIECE            number of the piece in force; FIRST_PIECE to LAST_PIECE are known
# BREAKS           float64 (known pieces,): when each begins
# PIECE_ROWS       int64 (N_PIECE_ROWS,): columns of STATES that pieces set
# PIECE_VALUES     float64 (known pieces, N_PIECE_ROWS, N or 1): their values; PIECE_STRIDE: 1 if they differ between
#                  neurons, else 0
# CUT              1 if the slice ends at a break
# SOFT             the reset: 0 to V_reset, 1 to V - V_th, 2 to V_reset + V - V_th
# STEP, ADVANCE, SAMPLE   addresses of the kernels `step` (taylor), `advance` and `sample_or_publish`
(
    N, N_BLOCKS, STATES, STATE_SIZE, NEXT, LAST, NUMBERS, PARAMETERS, BLOCKS, INLETS, N_PLASTIC, PLASTIC,
    V, U, SHOWN, SHOWN_RECORD,
    PIECE, FIRST_PIECE, LAST_PIECE, BREAKS, PIECE_ROWS, N_PIECE_ROWS, PIECE_VALUES, PIECE_STRIDE, CUT,
    SOFT, STEP, ADVANCE, SAMPLE, TABLE_SIZE,
) = range(30)  # fmt: skip
# A row of STATES: the `n_loaded` numbers of `simd_rows.SimdRows`, then these, then for each state of a receptor a
# factor, by which its size bounds all input that will come of it.
# DELTA, CURRENT, CONDUCTANCE   scales from a weight (mV, current, conductance) to x, z and G
# P, HALF, Y0, GU  V = (x - HALF) / P, u = (y - Y0) / (P GU)
# TAU_REF          ms
# SINCE, COUNT     spikes are counted from the time SINCE on, up to RUNAWAY, then anew
(
    DELTA, CURRENT, CONDUCTANCE, P, HALF, Y0, GU, TAU_REF, SINCE, COUNT, N_EXTRA,
) = range(11)  # fmt: skip

# --- A spike source: of the entries of a population it has N, N_BLOCKS (1), BLOCKS and ADVANCE, and more:
# COMING           float64 (2, N_COMING): times, ascending, and cells of the spikes of this call, of which SENT are
#                  spikes of the block
COMING, N_COMING, SENT, SOURCE_SIZE = range(TABLE_SIZE, TABLE_SIZE + 4)

# --- A block.
# FIRST, N_NEURONS   first neuron, and how many
# Events under way: for each slot of time a linked list of chunks of CHUNK events.
# CHUNKS           EVENT (N_CHUNKS, CHUNK), their targets counted from FIRST
# LINKS            int64 (N_CHUNKS,): the next chunk of the list, -1 at its end
# FREE, N_FREE     first chunk of the list of free ones, and how many there are
# TAILS, FILLED    int64 (SLOTS,): newest chunk of each slot, -1: none, and how many events are in it
# OUTSIDE          EVENT (N_OUTSIDE,): events from outside of this call, not yet in slots
# Events of the slice:
# SORTED           EVENT (SORTED_ROOM,): those of a neuron side by side, by time, then key
# ACTIVE           int64 (N_NEURONS + 1,): the neurons with events, then those that need a step, counted from FIRST
# CURSORS, ENDS    int64 (N_NEURONS + LANES,): the events of neuron j that have not arrived are
#                  SORTED[CURSORS[j]:ENDS[j]]
# SIMD_ROWS        float64 (rows, LANES)
# OWNERS           int64 (LANES,): neuron in each lane, counted from FIRST, -1: none; behind it those of the latest
#                  check for neurons that are stuck, and float64 (LANES,): their times then
# SPIKE_T, SPIKE_I   float64, int64 (SPIKE_ROOM,): times and neurons of the N_SPIKES spikes of this call, of which
#                  DELIVERED have been delivered
# GATHERED         SERIAL of the slice whose events are in SORTED
# WANTED_SORTED, WANTED_CHUNKS   the room that a kernel lacked when it returned ROOM
# N_STEPS          steps done, of LANES neurons each; up to LAST_STEP in this call
# FAILED, FAILED_NEURON, FAILED_TIME   1 if a neuron has failed, which one, and when (float)
(
    FIRST, N_NEURONS, CHUNKS, LINKS, N_CHUNKS, FREE, N_FREE, TAILS, FILLED, OUTSIDE, N_OUTSIDE,
    SORTED, SORTED_ROOM, CURSORS, ENDS, SIMD_ROWS, OWNERS, ACTIVE,
    SPIKE_T, SPIKE_I, SPIKE_ROOM, N_SPIKES, DELIVERED, GATHERED, WANTED_SORTED, WANTED_CHUNKS, N_STEPS, LAST_STEP,
    FAILED, FAILED_NEURON, FAILED_TIME, BLOCK_SIZE,
) = range(32)  # fmt: skip
LANES = 16
CHUNK = 32  # events
RUNAWAY = 1000  # spikes of a neuron within 1 ms, with which it fails
MOST_STEPS = 2**14  # of a block in one call, so that Ctrl-C never waits long
STUCK = 2**10, 1e-5  # a neuron that gets on by less than 1e-5 ms in 2**10 steps fails
MOST_VISITS = 2**21  # neurons x slices of one call, so that Ctrl-C never waits long
SLICE_VISITS = 64  # the other costs of a slice, in visits of neurons
MOST_SPIKES = 2 * LANES  # of all lanes in one step: one each at a crossing, and one each by events

EVENT = np.dtype([("t", "<f8"), ("w", "<f8"), ("key", "<i8"), ("target", "<i4"), ("inlet", "<i2"), ("rule", "<i2")])
EVENT_SIZE = 32  # bytes
FIRST_KEY = 2**60  # of events of synapses: at one time those from outside, with lower keys, come first

# --- An inlet: an event adds weight x scale x factor to a SIMD row. INLET_ROW: its number; INLET_SCALE: DELTA, CURRENT
# or CONDUCTANCE; INLET_FACTOR (float).
INLET_ROW, INLET_SCALE, INLET_FACTOR, INLET_SIZE = range(4)

# --- A network.
# NOW, UNTIL, END  (float) time to which all has come, end of the call, end of the slice
# PER_MS           (float) slots of time per ms
# FED              (float) time up to which events from outside have been put into slots
# FRESH            1 until the call has begun
# SLOTS            slots of time that events are kept in, a power of 2: slot k lies at k % SLOTS
# SERIAL           number of the slice
# PHASE            of the slice (`kernels.network`)
# POPULATIONS, PROJECTIONS   int64: addresses of tables
# RECORDS          int64 (N_RECORDS, RECORD_SIZE)
# ALL_BLOCKS       int64 (N_ALL_BLOCKS, 2): address of the population's table and number of the block
# N_PARTS          the most blocks of a population: parts of the targets that threads share
# CODES            int64: code of each block or part
# GATHER, DELIVER_TO   addresses of the kernels `gather` (0: no events are under way) and `deliver`
(
    NOW, UNTIL, END, PER_MS, FED, FRESH, SLOTS, SERIAL, PHASE,
    N_POPULATIONS, POPULATIONS, N_PROJECTIONS, PROJECTIONS, N_RECORDS, RECORDS, N_ALL_BLOCKS, ALL_BLOCKS, N_PARTS,
    CODES, GATHER, DELIVER_TO, NET_SIZE,
) = range(22)  # fmt: skip

# --- A projection: rows of synapses, one row for each source neuron and part (block) of the target.
# SOURCE, TARGET   addresses of the tables of the populations
# FIRST_ROW, N_ROWS   first source neuron, and how many
# PARTS            into how many the targets are cut: each block has one part, or all
# STARTS           int64 (N_ROWS * PARTS + 1,): where each row begins among the synapses
# TARGETS, DELAYS, WEIGHTS   uint32, float64, float64 (synapses,): target neuron, delay (ms), weight
# KEY              key of the events of synapse 0, in the next synapse the next one
# INLET            number of the inlet of the receptor
# RULE             number of the rule of plasticity among those of the target, -1: none
# DONE             int64 (PARTS,): SERIAL of the slice whose spikes have been delivered
# Of plastic synapses only:
# MEMORY           (synapses,) records of what the rule has: e (eligibility), x1 to x4 (traces), arrival (ms)
# Y                int64: the address of each trace y: float64 (targets,), of the targets at their last spikes
# SPIKED           float64 (targets,): time of the last spike
# TAUS             float64: time constants of the traces x, then y, then of the eligibility, ms
# TAU_LANES        int64: for each of these the address of those of the synapses, float64 (synapses,), if they differ
# RULE_NUMBERS     int64: address of each parameter of the rule, float64 (1,) or (synapses + 1,)
# INCOMING         uint32 (synapses,): numbers of the synapses by target; INCOMING_STARTS, int64 (targets + 1,): where
#                  those of each target begin
# MODULATOR        float64 (3,): its value at a time, that time, and its time constant, ms
# MODULATE         address of the kernel that adds what spikes release to the modulator, 0: none
# RELEASES         int64 (N_RELEASES, RELEASE_SIZE): whose spikes these are
# UPDATE           address of the kernel `update`, 0: none
# UPDATES          int64 (1,): how many updates have been done
# PERIOD           (float) ms from update to update
(
    SOURCE, TARGET, FIRST_ROW, N_ROWS, PARTS, STARTS, TARGETS, DELAYS, WEIGHTS, KEY, INLET, RULE, DONE,
    MEMORY, Y, SPIKED, TAUS, TAU_LANES, RULE_NUMBERS, INCOMING, INCOMING_STARTS, MODULATOR, MODULATE, RELEASES,
    N_RELEASES, UPDATE, UPDATES, PERIOD,
    PROJECTION_SIZE,
) = range(29)  # fmt: skip

# --- What spikes release. RELEASED_BY: address of the table of a population; RELEASE_FIRST, RELEASE_LAST: its first
# neuron that does, and the one behind the last; RELEASE_MEMBERS, uint8: which of them do; RELEASE_AMOUNT, float64 (1,)
RELEASED_BY, RELEASE_FIRST, RELEASE_LAST, RELEASE_MEMBERS, RELEASE_AMOUNT, RELEASE_SIZE = range(6)

# --- A record. RECORD_TABLE: address of the population's table; RECORD_EVERY (float): ms from sample to sample;
# RECORD_NEXT: number of the next sample; RECORD_FIRST: of the one in row 0 of RECORD_SAMPLES; RECORD_ROOM: rows there;
# RECORD_N: neurons recorded; RECORD_NEURONS, int64 (RECORD_N,); RECORD_PLACES, int64 (RECORD_N,): the column of each in
# a sample; RECORD_WHAT: number of a state in STATES plus len(STATES) x that of its receptor; RECORD_SAMPLES, float64
# (RECORD_ROOM, RECORD_N); RECORD_SIMD_ROWS, float64 (rows, LANES): scratch; RECORD_REDUCTION, the table of a reduction,
# or 0: RECORD_SAMPLES has one row then, of which the results are made (`_engine.reduction`)
(
    RECORD_TABLE, RECORD_EVERY, RECORD_NEXT, RECORD_FIRST, RECORD_ROOM, RECORD_N, RECORD_NEURONS, RECORD_PLACES,
    RECORD_WHAT, RECORD_SAMPLES, RECORD_SIMD_ROWS, RECORD_REDUCTION, RECORD_SIZE,
) = range(13)  # fmt: skip
