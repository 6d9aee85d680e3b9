"""What may be done with templates and versions."""
