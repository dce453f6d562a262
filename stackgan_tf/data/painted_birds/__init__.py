"""`painted_birds`: captioned birds that the package paints itself, so that a fresh machine has data."""
