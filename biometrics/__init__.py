"""Judges pixels: portraits, fingerprints, and the sealed capture made of them.

It drives no device and knows no dossier beyond the references it is told to seal in.
"""
