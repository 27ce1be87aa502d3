"""Fills the gap after an outage: lists what a provider has, and hands in what is missing by the usual road.

pages: what every provider's list is read into. kapso, twilio: their lists. gaps: where a channel is complete to, and
when to look. services: asking for a back-fill, and one run of it. api, tasks, crons: the edges.
"""
