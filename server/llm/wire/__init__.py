"""Real providers, through pydantic-ai's models and the vendors' SDKs.

Nothing but ``server.llm.clients`` imports this, and only when a real provider is called or
preloaded: the libraries behind it take seconds and a hundred megabytes.
"""

import warnings

# It warns of each event that it does not know, with the whole event in the words.
warnings.filterwarnings("ignore", category=UserWarning, module=r"pydantic_ai\.")
