"""Talking out to the providers of channels, on top of jobs/http.py. No database here."""
