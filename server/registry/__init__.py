"""The population registry as we see it: a port, a client and a stand-in."""
