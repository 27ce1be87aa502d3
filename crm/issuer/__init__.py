"""The demo's own issuer: Supabase Auth's REST in the parts that a sign-in needs. Answers only without SUPABASE_URL."""
