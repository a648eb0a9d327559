"""Synthetic handwriting: digits, ink that is no digit, rows of digits on paper, and corrupted images."""
