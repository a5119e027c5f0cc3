"""A made-up residential charging neighbourhood, in the published Trondheim format.

The format and the rule of the hourly loads follow Sorensen et al., *Residential electric
vehicle charging datasets from apartment buildings*, Data in Brief 36 (2021) 107105.
No row of that publication is copied: garages, users and sessions are invented.
"""
