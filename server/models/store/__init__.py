"""Providers, models and keys in SQL."""
