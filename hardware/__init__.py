"""Drivers and simulators of cameras and fingerprint readers: raw pixels with dpi and time.

It judges nothing; what the pixels are worth is decided in `biometrics`.
"""
