"""HTTP edges of providers and models: below ``/chats``, wherever that is mounted."""

from fastapi import APIRouter

routes = APIRouter(tags=["Chats"])

__all__ = ["routes"]
