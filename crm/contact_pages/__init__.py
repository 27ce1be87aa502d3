"""The pages /contacts and /contacts/<id>. Their address alone makes them work; modules bring them to life."""
