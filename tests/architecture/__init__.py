"""Rules of the code itself, checked by reading it."""
