"""What listeners of a chat hear, and from where."""
