"""A window is a stretch of one series' history that ends at an origin: how windows are cut, normalised and described."""
