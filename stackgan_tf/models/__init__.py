"""Networks, losses and optimizers together: `keras.Model` subclasses with one `train_step` each."""

from stackgan_tf.system.keras_settings import check_keras

check_keras()
