"""Pages and endpoints: they read the clock, open the transaction and commit."""
