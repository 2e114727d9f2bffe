"""The whole system on one machine, with stand-ins for camera, reader and population registry.

It starts the same processes an installation runs and changes nothing in them.
"""
