"""A network small enough to fine-tune in a test, in place of one of `keras.applications`."""

import keras


def tiny_backbone(include_top, weights, input_shape, pooling):
    """Builds a network like `keras.applications`: a convolution, batch normalization, and the mean over the image."""
    assert (include_top, pooling) == (False, 'avg')
    layers = [keras.layers.Conv2D(8, 3, activation='relu'), keras.layers.BatchNormalization()]
    network = keras.Sequential([keras.Input(input_shape), *layers, keras.layers.GlobalAveragePooling2D()])
    if weights:
        network.load_weights(weights)
    return network


# The module whose preprocess_input is used: [-1, 1].
tiny_backbone.__module__ = keras.applications.MobileNetV2.__module__
