"""Judges fingerprints: quality, minutiae, matching, and what to ask of the person next."""
