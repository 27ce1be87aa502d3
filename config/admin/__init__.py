"""Django admin at /admin/: its site, what every list of it shares, and its first page. What a table shows stands in
the admin.py of its app."""
