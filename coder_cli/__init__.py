"""coder_cli."""
