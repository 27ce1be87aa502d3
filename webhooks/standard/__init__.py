"""Standard Webhooks, which Svix, Clerk, Supabase's hooks and the score push all sign by."""
