"""A made-up electricity market: day-ahead prices and grid carbon per zone and hour.

No published price is copied. Level, shape of the day, seasons and spread are set to look like a
bidding zone of the Nordics and like Great Britain.
"""
