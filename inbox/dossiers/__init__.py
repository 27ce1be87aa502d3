"""How the inbox hands out and erases what it knows of a contact."""
