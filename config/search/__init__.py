"""The search of the admin: by what people know of customers, documents and money, and by amounts. Composes the apps.

Texts are found by their beginnings, numbers by their ends too, names by the beginnings of their words, amounts by being
equal: all by indexes, so that it answers at once however much there is.
"""
