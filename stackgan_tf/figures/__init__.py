"""What the paper shows: pictures of what a generator makes."""
