"""Benchmarks: the warehouse beside the simplest thing that does the same without any checks."""
