"""SQL of workspaces and builds, by what is asked."""
