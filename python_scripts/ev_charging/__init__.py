"""Functions of the EV-charging warehouse that are written in Python."""
