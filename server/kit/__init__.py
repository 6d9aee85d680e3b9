"""server/kit."""
