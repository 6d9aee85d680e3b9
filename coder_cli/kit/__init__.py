"""coder_cli/kit."""
