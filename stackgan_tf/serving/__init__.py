"""The client of a served model, and its load test."""
