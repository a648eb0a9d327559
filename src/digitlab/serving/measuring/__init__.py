"""Measurement of the service under load, beside plain endpoints around the same network."""
