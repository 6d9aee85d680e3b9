"""Tools: what a model may do with a person's rights, in workspaces and in chats. See README.md."""
