"""Compiled code that JAX calls: programs over lanes and steps on the buffers of XLA."""
