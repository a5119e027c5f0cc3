"""Statistics of charging stations that are compared with each other."""
