"""A made-up charging network: its stations, the messages of its chargers, and what really happened.

Sites are simulated one by one, each from random numbers of its own. The simulation writes down
what it means (attempts, visits, outages) while it sends the messages, so that what a warehouse
rebuilds from the messages can be compared with the truth.
"""
