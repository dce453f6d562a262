"""A TensorFlow Datasets split as a source of examples, held in memory in its encoded form."""

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

# Importing a builder's module registers it with TFDS under its name.
import stackgan_tf.data.painted_birds.painted_birds_dataset_builder  # noqa: F401
from stackgan_tf.data.captions import Captions
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.random_crop import random_crops
from stackgan_tf.user_error import UserError


class TfdsPictures(ExampleSource):
    """The pictures of a TFDS data set.

    Its features are `image`, and if it has them `captions`, `embeddings` (float `[K, T]`), `label`, `attributes`
    (int `[A]`) and `caption_attributes` (bool `[K, A]`, which of them each caption names). It is prepared on first use,
    under `TFDS_DATA_DIR` or `~/tensorflow_datasets`.

    Args:
        name: as in `tfds.load`, for example `painted_birds/76px`.
        split: as in `tfds.load`.

    Raises:
        UserError: there is no such data set or split, or it cannot be prepared here.
    """

    def __init__(self, name: str, split: str = 'train') -> None:
        builder = _builder(name)
        if not builder.is_prepared():
            print(f'Preparing {name} in {builder.data_dir} (once) ...', flush=True)
            _prepare(builder)
        try:
            builder.info.splits[split]  # also slices such as train[:10%]
        except (KeyError, ValueError) as error:
            raise UserError(f'{name} has no split {split!r}; it has {", ".join(builder.info.splits)}') from error
        # One file after the other and unshuffled: the same order on every machine.
        examples = builder.as_dataset(
            split=split,
            decoders={'image': tfds.decode.SkipDecoding()},
            read_config=tfds.ReadConfig(interleave_cycle_length=1),
            shuffle_files=False,
        )
        self.title = name if split == 'train' else f'{name} (split {split})'
        known = _known(builder.info.features)
        self._columns: dict[str, list[Any]] = {feature: [] for feature in known}
        for example in examples.as_numpy_iterator():
            for feature in known:
                self._columns[feature].append(example[feature])
        self._class_names = builder.info.features['label'].names if 'label' in known else ()
        self._images = tf.constant(self._columns.pop('image'))

    @property
    def count(self) -> int:
        """How many examples the split has."""
        return len(self._images)

    def crops(self, indices: tf.Tensor, draws: tf.Tensor, size: int) -> tf.Tensor:
        """uint8 `[N, size, size, 3]` of the examples at `indices`; see `ExampleSource`."""
        return random_crops(tf.gather(self._images, indices), size, draws)

    @property
    def class_names(self) -> Sequence[str]:
        """The classes in the order of their labels; see `ExampleSource`."""
        return self._class_names

    def captions(self) -> Captions:
        """The captions of all examples; see `ExampleSource`."""
        return Captions(map(_texts, self._columns['captions'])) if 'captions' in self._columns else super().captions()

    def stored_embeddings(self) -> Sequence[np.ndarray]:
        """Of each example float32 `[K, T]`; see `ExampleSource`."""
        return self._columns['embeddings'] if 'embeddings' in self._columns else super().stored_embeddings()

    def labels(self) -> np.ndarray:
        """int32 `[count]`; see `ExampleSource`. A picture whose label is unknown is its own class."""
        if 'label' not in self._columns:
            return super().labels()
        known = np.array(self._columns['label'], np.int32)
        return np.where(known >= 0, known, len(self._class_names) + super().labels())

    def attributes(self) -> np.ndarray:
        """int32 `[count, A]`; see `ExampleSource`."""
        return np.array(self._columns['attributes']) if 'attributes' in self._columns else super().attributes()

    def caption_attributes(self) -> np.ndarray:
        """Which attributes each caption names, bool `[R, A]`; see `ExampleSource`."""
        if 'caption_attributes' not in self._columns:
            return super().caption_attributes()
        return np.concatenate(self._columns['caption_attributes'])


def _known(features: tfds.features.FeaturesDict) -> list[str]:
    """Those of our features that a data set has in a form that is understood; other things may have these names."""
    understood = {
        'captions': lambda feature: _has_text(feature) or _has_text(getattr(feature, 'feature', None)),
        'label': lambda feature: isinstance(feature, tfds.features.ClassLabel),
        'embeddings': lambda feature: _is_tensor_of(feature, 'f'),
        'attributes': lambda feature: _is_tensor_of(feature, 'iu'),
        'caption_attributes': lambda feature: _is_tensor_of(feature, 'b'),
    }
    return ['image', *(name for name, is_ours in understood.items() if name in features and is_ours(features[name]))]


def _is_tensor_of(feature: Any, kinds: str) -> bool:
    return isinstance(feature, tfds.features.Tensor) and np.dtype(feature.np_dtype).kind in kinds


def _has_text(feature: Any) -> bool:
    """Whether it is a text, or a dict with one (as in TFDS's coco_captions)."""
    if isinstance(feature, tfds.features.FeaturesDict):
        return 'text' in feature and _has_text(feature['text'])
    return isinstance(feature, tfds.features.Text)


def _texts(value: Any) -> Sequence[bytes]:
    """The captions of an example, in any form that `_known` lets pass."""
    value = value['text'] if isinstance(value, Mapping) else value
    return [value] if isinstance(value, bytes) else list(value)


def _builder(name: str) -> tfds.core.DatasetBuilder:
    try:
        return tfds.builder(name)
    except (tfds.core.DatasetNotFoundError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f'no data set {name!r} in TensorFlow Datasets: {reason}') from error


def _prepare(builder: tfds.core.DatasetBuilder) -> None:
    tfds.disable_progress_bar()
    config = tfds.download.DownloadConfig(try_download_gcs=False)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            builder.download_and_prepare(download_config=config)
    except Exception as error:  # builders download, unpack and import what they like
        reason = str(error).strip().partition('\n')[0] or type(error).__name__
        raise UserError(
            f'cannot prepare {builder.name} in {builder.data_dir}: {reason} (TFDS_DATA_DIR names another folder)'
        ) from error
