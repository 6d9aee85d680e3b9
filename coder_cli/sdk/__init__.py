"""coder_cli/sdk."""
