"""How fast networks are trained, side by side with what else does the same: the board and the study."""
