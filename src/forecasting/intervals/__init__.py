"""Coherent points with true bounds."""
