"""agent/kit."""
