"""SQL of the queue, of logs, of daemons, and of what jobs made."""
