"""Networks: populations, synapses, drives and recorders under one clock; saved and loaded."""
