"""Executors, which run the trials of a study: in this process, in several, or on a Ray cluster."""
