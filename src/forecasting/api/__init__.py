"""The HTTP service: forecasts on request, what was published, how good it was, and how the service itself is doing."""
