"""What is done with providers and models."""
