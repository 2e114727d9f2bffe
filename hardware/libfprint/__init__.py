"""Readers that libfprint drives: one flat finger at a time, laptop-class USB devices mostly."""
