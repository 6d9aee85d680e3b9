"""Chats: conversations with a model that acts for its owner. See README.md."""
