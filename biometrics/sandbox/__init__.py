"""Runs a named function on bytes from outside in a process that can do nothing else."""
