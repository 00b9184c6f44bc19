"""What the models of the family `boosting` learn from, and the trees that they grow."""
