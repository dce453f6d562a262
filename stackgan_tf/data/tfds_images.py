"""A TensorFlow Datasets split as a source of examples."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

# Importing a builder's module registers it with TFDS under its name; `data_sets` imports those of the paper.
import stackgan_tf.data.painted_birds.painted_birds_dataset_builder
import stackgan_tf.data.stacked_mnist.stacked_mnist_dataset_builder  # noqa: F401
from stackgan_tf.data.captions import Captions
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.published.data_sets import PUBLISHED_DATA_SETS
from stackgan_tf.data.published.tfds_shards import at_most
from stackgan_tf.data.random_crop import Framing, random_crops
from stackgan_tf.data.tfds_records import TfdsRecords
from stackgan_tf.system.console import others_silent, say
from stackgan_tf.system.errors import UserError, as_user_error

_LARGE = 5e9  # bytes; more is not downloaded or unpacked without being asked for


class TfdsImages(ExampleSource):
    """The images of a TFDS data set.

    Its features are `image`, and if it has them `captions`, `embeddings` (float `[K, T]`), `label`, `attributes`
    (int `[A]`), `caption_attributes` (bool `[K, A]`, which of them each caption names), `unnamed_attributes` (int
    `[2, U]`, others, of the image and its mirror image) and `bounding_box` (x, y, width and height, pixels). It is
    prepared on first use, under `TFDS_DATA_DIR` or `~/tensorflow_datasets`.

    Args:
        name: as in `tfds.load`, for example `painted_birds/76px`, without namespace and version.
        split: as in `tfds.load`.
        manual_dir: the folder of the files that the user downloaded, for data sets that need some.
        data_dir: where it is prepared; by default where `TFDS_DATA_DIR` says.
        crop_to_boxes: whether images are cropped around their bounding boxes, as both papers do with birds.
        squashed: whether they lose their aspect ratio, as in v1; see `Framing`.
        stretched: whether their contrast is stretched, as in the release of v1; see `Framing`.
        whole: whether the largest square is used without a margin for random crops; see `Framing`.

    Raises:
        UserError: there is no such data set or split, it cannot be prepared here, or it has no boxes.
    """

    def __init__(
        self,
        name: str,
        split: str = 'train',
        manual_dir: str = '',
        data_dir: str = '',
        crop_to_boxes: bool = False,
        squashed: bool = False,
        stretched: bool = False,
        whole: bool = False,
    ) -> None:
        builder = _prepared_builder(name, manual_dir, data_dir)
        try:
            builder.info.splits[split]  # also slices such as train[:10%]
        except (KeyError, ValueError) as error:
            raise UserError(f'{name} has no split {split!r}; it has {", ".join(builder.info.splits)}') from error
        self.title = name if split == 'train' else f'{name} (split {split})'
        known = _known(builder.info.features)
        self._records = TfdsRecords(builder, split, known)
        self._columns = self._records.columns
        self._class_names = builder.info.features['label'].names if 'label' in known else ()
        self._framing = Framing(squashed, stretched, whole)
        if crop_to_boxes and 'bounding_box' not in known:
            raise UserError(f'{name} has no bounding boxes: leave out TfdsImages.crop_to_boxes')
        self._boxes = tf.constant(np.array(self._columns['bounding_box'], np.float32)) if crop_to_boxes else None

    @property
    def count(self) -> int:
        """How many examples the split has."""
        return len(self._records)

    def crops(self, indices: tf.Tensor, draws: tf.Tensor, size: int) -> tf.Tensor:
        """uint8 `[N, size, size, 3]` of the examples at `indices`; see `ExampleSource`."""
        encoded = tf.numpy_function(self._records.images, [indices], tf.string, stateful=False)
        boxes = None if self._boxes is None else tf.gather(self._boxes, indices)
        return random_crops(tf.ensure_shape(encoded, indices.shape), size, draws, boxes, self._framing)

    def load_size(self, size: int) -> int:
        """The length of the shorter side, pixels; see `ExampleSource`."""
        return self._framing.load_size(size)

    @property
    def class_names(self) -> Sequence[str]:
        """The classes in the order of their labels; see `ExampleSource`."""
        return self._class_names

    def captions(self) -> Captions:
        """The captions of all examples; see `ExampleSource`."""
        return Captions(map(_texts, self._columns['captions'])) if 'captions' in self._columns else super().captions()

    def stored_embeddings(self) -> Sequence[np.ndarray]:
        """float32 `[K, T]` of each example; see `ExampleSource`."""
        return self._columns['embeddings'] if 'embeddings' in self._columns else super().stored_embeddings()

    def labels(self) -> np.ndarray:
        """int32 `[count]`; see `ExampleSource`. An image whose label is unknown is its own class."""
        if 'label' not in self._columns:
            return super().labels()
        known = np.array(self._columns['label'], np.int32)
        return np.where(known >= 0, known, len(self._class_names) + super().labels())

    def attributes(self) -> np.ndarray:
        """int32 `[count, A]`; see `ExampleSource`."""
        return np.array(self._columns['attributes']) if 'attributes' in self._columns else super().attributes()

    def unnamed_attributes(self) -> np.ndarray:
        """int32 `[count, 2, U]`; see `ExampleSource`."""
        if 'unnamed_attributes' not in self._columns:
            return super().unnamed_attributes()
        return np.array(self._columns['unnamed_attributes'])

    def caption_attributes(self) -> np.ndarray:
        """Which attributes each caption names, bool `[R, A]`; see `ExampleSource`."""
        if 'caption_attributes' not in self._columns:
            return super().caption_attributes()
        return np.concatenate(self._columns['caption_attributes'])


def _known(features: tfds.features.FeaturesDict) -> list[str]:
    """The features above that a data set has in a form that can be read; other data may have the same names."""
    understood = {
        'captions': lambda feature: _has_text(feature) or _has_text(getattr(feature, 'feature', None)),
        'label': lambda feature: isinstance(feature, tfds.features.ClassLabel),
        'embeddings': lambda feature: _is_tensor_of(feature, 'f'),
        'attributes': lambda feature: _is_tensor_of(feature, 'iu'),
        'caption_attributes': lambda feature: _is_tensor_of(feature, 'b'),
        'unnamed_attributes': lambda feature: (
            _is_tensor_of(feature, 'iu') and len(feature.shape) == 2 and feature.shape[0] == 2
        ),
        'bounding_box': lambda feature: _is_tensor_of(feature, 'f') and feature.shape == (4,),
    }
    return [name for name, is_ours in understood.items() if name in features and is_ours(features[name])]


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


def _prepared_builder(name: str, manual_dir: str, data_dir: str) -> tfds.core.DatasetBuilder:
    """The builder of a data set, which is prepared if it is not yet."""
    builder = find_builder(name, data_dir)
    if not builder.is_prepared():
        _refuse_large_downloads(name, Path(manual_dir or Path(builder.data_dir_root) / 'downloads' / 'manual'))
        say(f'Preparing {name} in {builder.data_dir} (once) ...')
        prepare(builder, manual_dir)
    return builder


def _refuse_large_downloads(name: str, manual_dir: Path) -> None:
    """Refuses large downloads that the user did not ask for.

    Raises:
        UserError: preparation would download or unpack more than 5 GB.
    """
    data_set = PUBLISHED_DATA_SETS.get(name)
    size = data_set.bytes_beforehand(manual_dir.expanduser()) if data_set is not None else 0
    if size > _LARGE:
        raise UserError(
            f'{name} is not prepared, which takes {size / 1e9:.0f} GB beforehand: put its archives into the folder '
            f'IMAGE_ROOT, and run python tools/prepare_dataset.py {name}, which downloads what is not there'
        )


def find_builder(name: str, data_dir: str = '') -> tfds.core.DatasetBuilder:
    """The builder of a data set, prepared or not.

    Raises:
        UserError: there is no such data set, or the name has a namespace or a version.
    """
    if ':' in name:  # of a namespace, TFDS downloads code, which it imports
        raise UserError(
            f'{name!r} is not read, because code would be downloaded for a name before a colon: name a data set of '
            'TensorFlow Datasets itself, without namespace and version'
        )
    with as_user_error(f'no data set {name!r} in TensorFlow Datasets'):
        return tfds.builder(name, data_dir=data_dir or None)


def prepare(
    builder: tfds.core.DatasetBuilder,
    manual_dir: str = '',
    examples: int | None = None,
    downloads: Path | None = None,
) -> None:
    """Prepares a data set.

    Args:
        builder: of the data set.
        manual_dir: the folder of the files that the user downloaded.
        examples: at most this many of each split.
        downloads: the folder for downloads; by default `downloads` in the folder of the data sets.

    Raises:
        UserError: it cannot be prepared here.
    """
    tfds.disable_progress_bar()
    config = tfds.download.DownloadConfig(
        try_download_gcs=False,
        manual_dir=str(Path(manual_dir).expanduser()) if manual_dir else None,
        max_examples_per_split=examples,
    )
    try:
        with others_silent(), at_most(examples):
            builder.download_and_prepare(download_dir=downloads, download_config=config)
    except UserError:
        raise
    except Exception as error:  # builders run code of others
        reason = str(error).strip().partition('\n')[0] or type(error).__name__
        elsewhere = ' (TFDS_DATA_DIR names another folder)' if isinstance(error, OSError) else ''
        raise UserError(f'cannot prepare {builder.name} in {builder.data_dir}: {reason}{elsewhere}') from error
