"""What goes out: models that other programs load."""
