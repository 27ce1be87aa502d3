"""Wiring: settings, urls, asgi, celery. Sees every app; imported by none but for errors and live."""
