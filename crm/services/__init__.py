"""Changes to people, workspaces and contacts."""
