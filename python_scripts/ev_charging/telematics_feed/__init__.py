"""Made-up fleets of electric vehicles: what they did, and the logs that three suppliers deliver.

Vehicles are simulated day by day, each from random numbers of its own. What happened is settled
first; what of it is logged, in which form, and what is wrong with the logs comes after, so that a
timeline that a warehouse rebuilds from the logs can be compared with the truth.
"""
