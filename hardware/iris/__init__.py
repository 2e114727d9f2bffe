"""Iris readers: what they give, and made-up irises for rehearsals."""
