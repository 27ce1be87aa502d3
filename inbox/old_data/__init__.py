"""The way over from the old Supabase, and the way back. Reads its tables by a mapping; writes ours in batches."""
