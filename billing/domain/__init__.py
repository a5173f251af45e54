"""Rules as pure functions and frozen values: no Django, no clock, no I/O."""
