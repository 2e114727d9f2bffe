"""The screen of a waiting room: numbers, kiosks and counters; it names nobody."""
