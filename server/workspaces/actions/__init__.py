"""What people do with workspaces."""
