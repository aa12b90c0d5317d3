"""Inputs from outside as functions of time: currents, noise, trains of spikes, and their sums."""

from izhnumba._input import retimed as retimed  # with `arithmetic`: what operators and methods of Input make
