"""The run: its phases, directory, devices, checkpoints and reports."""
