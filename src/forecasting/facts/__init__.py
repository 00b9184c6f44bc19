"""The door for facts."""
