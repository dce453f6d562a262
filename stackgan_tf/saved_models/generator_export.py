"""A finished generator as a SavedModel, checked in a fresh process before it appears under its name."""

from pathlib import Path

from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.saved_models.saved_model import export_saved_model
from stackgan_tf.saved_models.verification import generator_check


def export_generator(generator: NetworkGenerator, target: str | Path) -> None:
    """Writes a generator, with its text encoder or class names, as a folder that `load` and TF Hub open.

    Raises:
        UserError: the folder exists, or a fresh process does not make the same images.
    """
    check = generator_check(generator)
    export_saved_model(generator.network, Path(target), generator.encoder, generator.class_names, check)
