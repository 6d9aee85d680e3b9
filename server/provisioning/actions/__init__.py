"""What may be done with jobs, and what a kind of job must bring."""
