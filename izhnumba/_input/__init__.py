"""What comes from outside as a function of time: currents, noise, trains of spikes, and how they add up."""
