"""Arrays of months, and what every model knows of them."""
