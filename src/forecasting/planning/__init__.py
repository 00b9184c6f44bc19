"""What people add to a forecast."""
