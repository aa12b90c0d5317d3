"""Populations: parameters, state, single steps and runs; sections of them, presets, and one step as a function."""
