"""The shared code of the commands: evaluators from flags, continuous evaluation."""
