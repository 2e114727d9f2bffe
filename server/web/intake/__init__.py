"""What kiosks talk to: check-in, leaving, uploads. No page, and no key that opens a capture."""
