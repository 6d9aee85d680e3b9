"""coder_cli/ui."""
