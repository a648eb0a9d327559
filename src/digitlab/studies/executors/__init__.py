"""Ways to run the trials of a study: in this process, or in several."""
