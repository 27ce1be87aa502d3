"""What concerns one member: how it is shown, listed, mailed and pushed. What writes it is inbox/services/notices.py."""
