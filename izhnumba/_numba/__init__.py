"""How functions are compiled and where machine code is kept; memory, exprel and random numbers as kernels see them."""
