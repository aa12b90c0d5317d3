"""Recorders, their storage and its file format, and the results of runs."""
