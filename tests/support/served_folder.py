"""A tiny text model in a folder for TensorFlow Serving."""

from pathlib import Path

import pytest
from tiny_text_model import text_generator

from stackgan_tf.saved_models import serving_export
from stackgan_tf.saved_models.serving_export import ServingOptions, export_for_serving


def served_folder(parent: Path) -> Path:
    """Exports `birds` of `text_generator`, for batches of 1, 2 and 4; not verified in a fresh process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving_export, 'generator_check', lambda generator: lambda export: None)
        export_for_serving(text_generator(), parent / 'served', ServingOptions('birds', 1, (1, 2, 4)))
    return parent / 'served'
