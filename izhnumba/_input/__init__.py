"""Inputs from outside as functions of time: currents, noise, trains of spikes, and their sums."""
