"""Statistics of driving and charging logs."""
