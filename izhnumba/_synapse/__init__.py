"""Synapses: receptors, connectivity, weights and delays, plasticity, and the table of rows that kernels read."""
