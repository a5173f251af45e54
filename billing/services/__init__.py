"""Writes: one service call is one transaction. Interfaces call these and nothing else."""
