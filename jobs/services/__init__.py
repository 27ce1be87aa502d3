"""Changes to jobs that a person makes."""
