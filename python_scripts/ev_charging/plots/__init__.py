"""Figures of the marts, one module each: a query, and a pure function from its rows to a Figure."""
