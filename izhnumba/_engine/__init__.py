"""The common ground of both engines: their protocol, instants of time, address tables, codes, the run loop."""
