"""What admins see of everything that came in and has to go out, and what they may do about it. Models live below."""
