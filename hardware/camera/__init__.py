"""Cameras: real ones, replayed ones, and a simulated sitter."""
