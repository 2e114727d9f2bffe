"""The door for programs: partners and the hotline book for citizens by JSON."""
