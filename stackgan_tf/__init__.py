"""StackGAN-v1 and StackGAN-v2 for TensorFlow 2 and Keras 3.

The public API, each name loaded on first use:

    model = stackgan_tf.load('runs/quickstart')
    images = model.generate(['a small red bird with a black crown'], seed=0)
"""

import importlib
from typing import Any

from stackgan_tf.system.keras_settings import prefer_tensorflow
from stackgan_tf.system.onednn import choose_onednn

__version__ = '0.1.0'

_MODULES = {
    'ArrayImages': 'stackgan_tf.data.array_images',
    'CaptionEmbeddings': 'stackgan_tf.data.embeddings',
    'CharacterEncoder': 'stackgan_tf.text.character_encoder',
    'ColorConsistency': 'stackgan_tf.models.settings',
    'Conditioning': 'stackgan_tf.models.settings',
    'DiscriminatorInputs': 'stackgan_tf.models.settings',
    'Generator': 'stackgan_tf.generator',
    'NetworkGenerator': 'stackgan_tf.generator',
    'Optimization': 'stackgan_tf.models.settings',
    'ScaleDiscriminator': 'stackgan_tf.networks.scale_discriminator',
    'StackGANv2': 'stackgan_tf.models.stackgan_v2',
    'StackedGenerator': 'stackgan_tf.networks.stacked_generator',
    'StageDiscriminator': 'stackgan_tf.networks.stage_discriminator',
    'StageDiscriminators': 'stackgan_tf.models.settings',
    'StageI': 'stackgan_tf.models.stackgan_v1',
    'StageII': 'stackgan_tf.models.stackgan_v1',
    'StageOneGenerator': 'stackgan_tf.networks.stage_one',
    'StageTwoGenerator': 'stackgan_tf.networks.stage_two',
    'TermWeights': 'stackgan_tf.models.settings',
    'TextMatching': 'stackgan_tf.models.text_matching',
    'TreeDiscriminators': 'stackgan_tf.models.settings',
    'TreeGenerator': 'stackgan_tf.networks.tree_generator',
    'UserError': 'stackgan_tf.system.errors',
    'batches_for': 'stackgan_tf.training.batches',
    'export_generator': 'stackgan_tf.saved_models.generator_export',
    'from_preset': 'stackgan_tf.loading',
    'load': 'stackgan_tf.loading',
    'load_text_encoder': 'stackgan_tf.loading',
    'presets': 'stackgan_tf.preset_files',
}
__all__ = ['__version__', *sorted(_MODULES)]

choose_onednn()  # before anything here imports TensorFlow


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    if not _MODULES[name].startswith(('stackgan_tf.networks.', 'stackgan_tf.system.')):
        prefer_tensorflow()
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_MODULES]
