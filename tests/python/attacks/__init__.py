"""Attacks on releases: what a hostile partner who has all raw feeds would try.

Every attack is a function of (releases, feeds) that returns what it found, a sentence each; an
empty list means that it failed. Nothing here uses the project's SQL or package.
"""

# What a release promises: distinct vehicles and clients behind each figure and each set of rows.
MIN_VEHICLES = 11
MIN_CLIENTS = 5
P_PERCENT = 0.15
DOMINANCE_SHARE = 0.85
