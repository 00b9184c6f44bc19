"""Champion and challenger: which model forecasts a domain."""
