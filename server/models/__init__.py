"""Models: which providers and models a deployment offers, and with whose keys. See README.md."""
