"""The grading function's push of one score."""
