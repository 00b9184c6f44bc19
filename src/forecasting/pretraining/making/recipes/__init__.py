"""Recipes: parts put together to whole series, `f(rng, first_month [n], months) -> [n, months]`, about 1 before they are scaled."""
