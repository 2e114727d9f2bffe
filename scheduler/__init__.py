"""Appointments at places with a calendar: never oversold.

It does not know what a dossier or a police station is; an appointment belongs to `whose`.
"""
