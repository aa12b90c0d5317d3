"""The table of a reduction (`_engine.reduction`), a row of int64: counts, and addresses of arrays."""

BLOCK = 2048  # neurons; those of a block of the clock engine, which one thread advances
LANES = 64  # sums that are made side by side

# KERNEL        address of `reduce(table, row, block)`
# N_BLOCKS      of all neurons of the population
# SOURCE        real (neurons,): the state
# NEURONS       int64: the neurons of each part, ascending
# STARTS        int64 (N_BLOCKS + 1,): where the parts of each block begin among PARTS
# PARTS         int64 (parts, PART_SIZE): of each part where its neurons begin among NEURONS; how many they are; whether
#               they are neighbours; the number of its cell
# LEVELS        real (N_LEVELS,): to be counted above
# RESULTS       float64 or int64 (rows, N_CELLS, N_LEVELS or 1): a cell for each part, those of a group side by side
KERNEL, N_BLOCKS, SOURCE, NEURONS, STARTS, PARTS, LEVELS, N_LEVELS, RESULTS, N_CELLS, TABLE_SIZE = range(11)
PART_FIRST, PART_N, PART_NEIGHBOURS, PART_CELL, PART_SIZE = range(5)
