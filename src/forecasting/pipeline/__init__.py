"""The order of the steps, and what need not run again."""
