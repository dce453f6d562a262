"""What the commands share: evaluators from flags, continuous evaluation."""
