"""Tables, journal, audit and vault; no page and no rule of law."""
