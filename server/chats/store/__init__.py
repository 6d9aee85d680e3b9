"""Statements about chats."""
