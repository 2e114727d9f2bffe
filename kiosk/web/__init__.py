"""The kiosk's pages: they show what the visit decides, and decide nothing."""
