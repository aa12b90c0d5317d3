"""Compiling functions and keeping their machine code; memory, exprel and random numbers for kernels."""
