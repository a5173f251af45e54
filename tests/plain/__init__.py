"""A second rating engine, slow and plain: fractions, loops over events and days, one subscription at a time.

It is written from the description of the rules and shares nothing with the product, so that both being wrong in the
same way is unlikely. Amounts and units are fractions of major units; contracts are what a person would write down.
"""
