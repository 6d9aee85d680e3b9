"""What is done with agents."""
