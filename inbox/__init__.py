"""Conversations and messages, whoever takes part in them."""
