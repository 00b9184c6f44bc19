"""How numbers, months and comparisons are written."""
