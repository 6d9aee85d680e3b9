"""HTTP edges of chats, below ``/chats``: mounted once under each of the two base paths."""

from fastapi import APIRouter

routes = APIRouter(tags=["Chats"])

__all__ = ["routes"]
