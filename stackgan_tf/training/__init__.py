"""The training loop: phases, callbacks, devices, workers and divergence."""
