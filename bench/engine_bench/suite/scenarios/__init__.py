"""Scenarios of the suite, a file each."""
