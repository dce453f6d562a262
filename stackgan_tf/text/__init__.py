"""Text encoders, from captions to embeddings."""

from stackgan_tf.system.keras_settings import check_keras

check_keras()
