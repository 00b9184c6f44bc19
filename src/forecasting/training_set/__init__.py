"""From facts to training sets."""
