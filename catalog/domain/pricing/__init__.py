"""Prices of usage: one file per charge model.

`properties.parse` reads what the API calls properties, `models.price` prices units with them. Amounts are in major
units of the plan's currency and unrounded; the rounding of the line belongs to whoever writes the line.
"""
