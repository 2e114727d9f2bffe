"""The citizens' pages: information, booking, the ticket, status."""
