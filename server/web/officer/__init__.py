"""The officers' pages: sign-in, queue, review, counter, audit. They hold no key to a capture."""
