"""coder_cli/commands."""
