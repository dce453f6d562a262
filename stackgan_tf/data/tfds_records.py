"""The records of a prepared TFDS split: images stay on disk and are read at random, everything else is in memory."""

import os
import struct
from collections.abc import Iterator, Sequence
from typing import IO, Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from tqdm import tqdm

from stackgan_tf.system.errors import UserError, as_user_error

# TFRecord's frame of a record: its length with a checksum before it, a checksum after it.
_LENGTH = struct.Struct('<Qxxxx')
_AFTER = 4
_SLOW = 20_000  # examples from which on a progress bar is worth the line


class TfdsRecords:
    """Finds the records of a split once, in the order of its files, which is the same on every machine.

    Args:
        builder: prepared, in TFRecord files.
        split: as in `tfds.load`, also a slice of one.
        columns: the features to read in addition to `image`.

    Attributes:
        columns: the values of each feature for all examples, as NumPy values; texts are bytes.

    Raises:
        UserError: a file is cut short, or the data set is in another file format.
    """

    def __init__(self, builder: tfds.core.DatasetBuilder, split: str, columns: Sequence[str]) -> None:
        if builder.info.file_format.value != 'tfrecord':
            raise UserError(f'{builder.data_dir} is in {builder.info.file_format.value} files: prepare it as tfrecord')
        self._features = builder.info.features
        self.columns: dict[str, list[Any]] = {name: [] for name in columns}
        self._files: list[IO[bytes]] = []
        places: list[tuple[int, int, int]] = []
        total = builder.info.splits[split].num_examples
        with tqdm(total=total, desc=f'Reading {builder.name}', disable=total < _SLOW or None, leave=False) as progress:
            for instruction in builder.info.splits[split].file_instructions:
                for first, length in self._scan(instruction):
                    places.append((len(self._files), first, length))
                    progress.update()
                self._files.append(open(instruction.filename, 'rb', buffering=0))  # noqa: SIM115
        self._places = np.array(places, np.int64).reshape(-1, 3)

    def __len__(self) -> int:
        """How many examples there are."""
        return len(self._places)

    def images(self, indices: np.ndarray) -> np.ndarray:
        """The encoded images of examples `[N]`: objects `[N]`, bytes."""
        return np.array([self._image(*place) for place in self._places[indices].tolist()], object)

    def _image(self, file: int, first: int, length: int) -> bytes:
        record = os.pread(self._files[file].fileno(), length, first)
        return tf.train.Example.FromString(record).features.feature['image'].bytes_list.value[0]

    def _scan(self, instruction: Any) -> Iterator[tuple[int, int]]:
        """Where each record of a file begins and how long it is; takes the wanted columns of it."""
        # Without columns only lengths are read: a buffer would read half of the file for them.
        with open(instruction.filename, 'rb', buffering=-1 if self.columns else 0) as file:
            size = os.fstat(file.fileno()).st_size
            for number in range(instruction.skip + instruction.take):
                head = file.read(_LENGTH.size)
                length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else size
                first = file.tell()
                if first + length + _AFTER > size:
                    raise UserError(f'{instruction.filename} is cut short: remove its folder and prepare it again')
                if number >= instruction.skip:
                    self._take(file.read(length) if self.columns else b'', instruction.filename)
                    yield first, length
                file.seek(first + length + _AFTER)

    def _take(self, record: bytes, filename: str) -> None:
        if self.columns:
            with as_user_error(f'{filename} is damaged: remove its folder and prepare it again'):
                example = self._features.deserialize_example_np(record, decoders={'image': tfds.decode.SkipDecoding()})
                for name, values in self.columns.items():
                    values.append(example[name])
