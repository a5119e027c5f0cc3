"""A made-up smart-charging experiment whose true effects are known.

Both potential outcomes of every user are generated, without the signal and with it; only the one
of the user's arm is delivered. So the effect in the population is a figure and not an estimate.
"""
