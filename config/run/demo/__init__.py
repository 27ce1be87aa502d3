"""The demo's data: two workspaces, eight people, and customers who wrote to them. Loaded only with DEMO.

people: who signs in, channels, labels. texts (and texts/*.txt), regions, persons: who wrote, and words to write.
threads, featured: what was said when, and how each conversation stands. rows: the same as models.
load, purge, guard: into the database, out of it, and never outside a demo.
"""
