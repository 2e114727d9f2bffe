"""The one process that can open captures: it has the keys, and opens only by a grant, once each."""
