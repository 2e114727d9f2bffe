"""Seals a capture so that only the unsealing process can open it, bound to its dossier."""
