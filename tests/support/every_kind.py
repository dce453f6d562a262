"""A run with a phase of every kind of model, for `tools/kill_run.py`: `python every_kind.py WORKDIR STEPS`.

Two replicas with EVERY_KIND_DEVICES=2. The phases use everything that resuming depends on: schedules of rates,
averages, spectral normalization, a penalty every third step, whitened embeddings, scores and the best checkpoint.
"""

import functools
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import keras
import tensorflow as tf
from drawn_images import Speckled
from feature_extractors import MeanColours
from small_models import STAGE_ONE, STAGE_TWO, TREE, build
from tiny_backbone import tiny_backbone

from stackgan_tf.models.attribute_classifier import AttributeClassifier
from stackgan_tf.models.class_classifier import ClassClassifier
from stackgan_tf.models.stackgan_v1 import StageI, StageII
from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.models.text_matching import TextMatching
from stackgan_tf.networks import image_encoder
from stackgan_tf.runs.run_directory import RunDirectory
from stackgan_tf.training.generator_scores import GeneratorScores
from stackgan_tf.training.phase import Phase
from stackgan_tf.training.run import Run

CONDITIONAL = {'embedding_dimension': 5, 'condition_dimension': 3, 'whitening': True}
AIDS = {'discriminator_inputs__noise': 0.1, 'averaging_decay': 0.9}


def encoder() -> TextMatching:
    return TextMatching(
        sizes=(8,),
        batch_size=6,
        widths=(4, 4, 4),
        dimension=5,
        initial_range=0.0,
        caption_weight=0.5,
        image_width=4,
        decay_steps=12,
    )


def stage_one() -> StageI:
    return build(StageI, **STAGE_ONE, halve_every=5, **CONDITIONAL, **AIDS)


def stage_two(stage_one: keras.Model) -> StageII:
    return build(StageII, stage_one, **STAGE_TWO, **CONDITIONAL, **AIDS)


def tree() -> StackGANv2:
    steep = {
        'spectral_normalization': True,
        'r1_weight': 1.0,
        'r1_every': 3,
        'discriminator_inputs__augmentation': ('color', 'cutout'),
    }
    return build(StackGANv2, **TREE, pairs='image', decay_steps=12, **CONDITIONAL, **AIDS, **steep)


def phases(steps: int) -> list[Phase]:
    def source() -> Speckled:
        return Speckled(12)

    scores = functools.partial(GeneratorScores, MeanColours, 20)
    attributes = functools.partial(
        AttributeClassifier, names=('color', 'evenness'), choices=(3, 2), sizes=(8,), batch_size=4, width=4
    )
    classes = functools.partial(
        ClassClassifier, classes=3, sizes=(16,), batch_size=4, image_tower='Tiny', image_weights='', tower_size=16
    )
    return [
        Phase('encoder', encoder, source, steps, test_data=source),
        Phase('attributes', attributes, source, steps, test_data=source),
        Phase('classes', classes, source, steps),
        Phase('first', stage_one, source, steps, text_encoder='encoder', captions_averaged=2),
        Phase('second', stage_two, source, steps, 'encoder', stage_one=stage_one, stage_one_weights='first'),
        Phase('tree', tree, source, steps, text_encoder='encoder', scores=scores),
    ]


if __name__ == '__main__':
    devices = [tf.config.LogicalDeviceConfiguration()] * int(os.environ.get('EVERY_KIND_DEVICES', '1'))
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices('CPU')[0], devices)
    image_encoder.BACKBONES['Tiny'] = tiny_backbone
    Run(phases(int(sys.argv[2])), 2, 4, seed=0, threads_per_operation=1).train(
        RunDirectory(Path(sys.argv[1]), 'SEED = 0\n')
    )
