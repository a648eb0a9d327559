"""Measuring the service under load, side by side with plain endpoints around the same network."""
