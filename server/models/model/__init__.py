"""Nouns and rules of providers and models. Pure."""
