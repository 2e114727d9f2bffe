"""Fingerprint readers: the serial modules, their simulator, and synthetic fingers."""
