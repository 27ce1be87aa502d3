"""The live socket and its event log. Knows topics and numbers, never what they are about."""
