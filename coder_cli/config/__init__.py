"""coder_cli/config."""
