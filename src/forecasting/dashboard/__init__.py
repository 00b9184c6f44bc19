"""The dashboard: published forecasts and their accuracy to look at, and a form that forecasts a series somebody brings."""
