import tensorflow as tf
from captioned import Captioned, WordEncoder

from stackgan_tf.evaluation.attribute_probe import attribute_accuracy


def test_what_is_in_embeddings_is_read_and_what_is_not_is_not():
    # The colour is in them; whether the number is even is in no caption's colour or length.
    accuracy = attribute_accuracy(WordEncoder(), Captioned(120), Captioned(60), ['colour', 'parity'])
    assert accuracy['colour'] == 1
    assert accuracy['parity'] < 0.8

    class Deaf(WordEncoder):
        def __call__(self, captions):
            return tf.zeros_like(super().__call__(captions))

    assert attribute_accuracy(Deaf(), Captioned(120), Captioned(60), ['colour', 'parity'])['colour'] < 0.4
