"""The nouns of identity and their pure rules."""
