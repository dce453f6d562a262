"""Networks, losses and optimizers together: `keras.Model` subclasses with one `train_step` each."""
