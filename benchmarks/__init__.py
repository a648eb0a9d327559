"""Benchmarks of digitlab, beside other software that does the same: `python -m benchmarks --help`."""
