"""The clock-driven engine: all neurons move on by one step, then their spikes are delivered."""
