"""Texts that are compared as a whole with files beside the tests; `--update-golden` writes the files anew."""
