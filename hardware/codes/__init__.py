"""Scanners of bar and QR codes: on a serial port, or as a keyboard that is no keyboard here."""
