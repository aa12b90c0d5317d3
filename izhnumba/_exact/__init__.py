"""The exact engine: each neuron moves from event to event by Taylor steps of its own."""
