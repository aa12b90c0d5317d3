"""Checks of arguments and the wording of their errors, files that appear complete or not at all, fixed objects."""
