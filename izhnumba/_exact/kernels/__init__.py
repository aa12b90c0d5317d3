"""Compiled code of the exact engine."""
