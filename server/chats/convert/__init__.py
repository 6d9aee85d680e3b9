"""Between rows, the loop's values, and the wire."""
