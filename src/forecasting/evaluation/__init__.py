"""How good a model is: walk-forward, measures, leaderboard."""
