"""Who is who: people, workspaces, roles, membership, contacts."""
