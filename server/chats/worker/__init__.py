"""The running side: who takes chats, runs their turns, keeps their leases, and gives them back."""
