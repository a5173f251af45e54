"""Tests of the admin: pages, lists, verbs and rights, told through HTTP."""
