"""What the two engines have in common: their protocol, how they count time, address tables, the loop over slices."""
