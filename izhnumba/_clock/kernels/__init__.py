"""Compiled code of the clock-driven engine."""
