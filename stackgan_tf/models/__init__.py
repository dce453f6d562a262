"""Networks, losses and optimisers together: `keras.Model` subclasses with one `train_step` each."""
