"""What plastic synapses of the exact engine keep besides their weights."""


class ExactPlastic:
    """To come."""
