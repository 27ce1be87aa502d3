"""Changes to conversations and messages. Nothing else writes them."""
