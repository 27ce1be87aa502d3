"""Heartbeats: read, written in batches, acknowledged after the commit. No ORM on the way."""
