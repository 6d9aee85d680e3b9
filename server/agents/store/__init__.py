"""SQL of agents: their lines, what they report, and what is read of it."""
