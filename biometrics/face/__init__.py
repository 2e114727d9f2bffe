"""Judges portraits: detection, landmarks, measures, gates, comparison."""
