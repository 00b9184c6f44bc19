"""The models on public forecasting competitions: how they compare with the published record (`make benchmark`)."""
