"""What synapses are:
receptors, who reaches whom, weights and delays, plasticity, and the rows that they are laid out in."""
