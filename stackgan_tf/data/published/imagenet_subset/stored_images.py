"""Finds ImageNet's training images: in the tar files of classes inside a tar file, in tar files, or unpacked."""

import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from tqdm import tqdm

from stackgan_tf.formats.archive_errors import archive_errors
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError

_SUFFIXES = ('.jpeg', '.jpg', '.png')


class StoredImage(NamedTuple):
    """An image, encoded, as a part of a file or a file of its own."""

    name: str  # for example n02123045_7.JPEG
    class_id: str
    file: Path
    first: int  # byte
    size: int  # bytes

    def read(self) -> bytes:
        """Its bytes; fewer if the file is cut short.

        Raises:
            OSError: the file cannot be read.
        """
        with self.file.open('rb') as file:
            file.seek(self.first)
            return file.read(self.size)


def stored_images(path: Path, class_ids: Sequence[str]) -> list[StoredImage]:
    """Finds the images of some classes; reads only the names of everything else.

    Args:
        path: `ILSVRC2012_img_train.tar`, or a folder with a folder or tar file for each class.
        class_ids: WordNet ids.

    Returns:
        The images, sorted; prints which classes have none.

    Raises:
        UserError: a tar file is broken, or there is no image.
    """
    images: list[StoredImage] = []
    with tqdm(total=len(class_ids), desc=f'Looking into {path.name}', disable=None, leave=False) as progress:
        for found in _of_folder(path, class_ids) if path.is_dir() else _of_tar(path, class_ids):
            images += found
            progress.update()
    missing = sorted(set(class_ids) - {image.class_id for image in images})
    if not images:
        raise UserError(
            f'{path} has no image of the {len(class_ids)} classes: it must be the published tar file of tar files, '
            f'or a folder with a folder or tar file for each, for example {missing[0]} or {missing[0]}.tar'
        )
    if missing:
        say(f'{path} has no images of {len(missing)} of the {len(class_ids)} classes, for example {missing[0]}')
    return sorted(images)


def _of_folder(path: Path, class_ids: Sequence[str]) -> Iterator[list[StoredImage]]:
    for class_id in class_ids:
        folder, tar = path / class_id, path / f'{class_id}.tar'
        if folder.is_dir():
            files = [file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES]
            yield [StoredImage(file.name, class_id, file, 0, file.stat().st_size) for file in files]
        elif tar.is_file():
            with tar.open('rb') as content:
                yield _of_class(content, tar, 0, class_id)


def _of_tar(path: Path, class_ids: Sequence[str]) -> Iterator[list[StoredImage]]:
    wanted = set(class_ids)
    with archive_errors(path), tarfile.open(path, 'r:') as archive:
        for member in archive:  # seeks from one to the next
            class_id = PurePosixPath(member.name).stem
            if class_id in wanted and (content := archive.extractfile(member)) is not None:
                yield _of_class(content, path, member.offset_data, class_id)


def _of_class(content: IO[bytes], file: Path, first: int, class_id: str) -> list[StoredImage]:
    """The images of the tar file of a class, which begins at byte `first` of a file."""
    with archive_errors(f'class {class_id} in {file}'), tarfile.open(fileobj=content, mode='r:') as archive:
        return [
            StoredImage(PurePosixPath(member.name).name, class_id, file, first + member.offset_data, member.size)
            for member in archive
            if member.isfile() and PurePosixPath(member.name).suffix.lower() in _SUFFIXES
        ]
