"""What a run leaves behind: recorders, their storage and its file format, results."""
