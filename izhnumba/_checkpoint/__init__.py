"""Files of whole networks: their format, and whether what they say fits together."""
