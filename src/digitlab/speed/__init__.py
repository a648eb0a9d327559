"""Measurement of training speed beside other programs that do the same: the board and the study."""
