"""Stripe: is a delivery genuine, and what does its event say."""
