"""Real providers, through pydantic-ai's models and the vendors' SDKs.

Nothing but ``server.llm.clients`` imports this, and only when a real provider is called or
preloaded: the libraries behind it take seconds and a hundred megabytes.
"""
