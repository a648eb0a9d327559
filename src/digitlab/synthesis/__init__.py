"""Handwriting that is drawn: digits, ink that is none, rows of digits on paper, and corrupted images."""
