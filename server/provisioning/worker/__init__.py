"""The workers: they take jobs, run each under a lease, and stop in order."""
