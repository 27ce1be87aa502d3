"""What people and billing ask of providers, on top of jobs/http."""
