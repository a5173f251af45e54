"""Moving here from a Lago installation: reading it through its own API and making the same things here. Owns the order,
the translation of its answers into requests, and the report. The rules are the apps' own.
"""
