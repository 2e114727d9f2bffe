"""The station's kiosk: it leads one person through a visit and seals what it captured.

It is not a client of the database and knows nothing of bookings.
"""
