"""The identity provider: Clerk's events, Supabase's hooks and database webhooks, by one signature and one address."""
