"""The kiosk's examination of itself: what is plugged in, and whether each part does its work."""
