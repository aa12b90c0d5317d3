"""Checkpoints: the file format of whole networks, and checks that the parts of a file fit together."""
