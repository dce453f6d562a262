"""What the paper and those before it measure."""
