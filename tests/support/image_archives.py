"""Tiny image archives in the published formats of LSUN and ImageNet, for tests and runs of recipes."""

import hashlib
import io
import shutil
import tarfile
import zipfile
from pathlib import Path

import lmdb
from image_files import photograph

from stackgan_tf.data.published.imagenet_subset.classes import class_ids


def encoded(number=0, encoding='JPEG', height=60, width=80):
    """An image's bytes."""
    file = io.BytesIO()
    photograph(height, width, number).save(file, encoding, quality=90)
    return file.getvalue()


def cut_short(content):
    """A file whose download was interrupted."""
    return content[: len(content) * 2 // 3]


def make_lsun(folder, category, count, split='train', encoding='WEBP', zipped=False, bad=0, first=0):
    """Makes `CATEGORY_SPLIT_lmdb/` or its zip file, with `count` images and `bad` more that are cut short.

    Args:
        folder: to be the `manual_dir`.
        category: `bedroom` or `church_outdoor`.
        count: of images, 60 x 80 pixels.
        split: `train` or `val`.
        encoding: `WEBP` or `JPEG`.
        zipped: whether the folder is packed, and then removed.
        bad: how many further images cannot be decoded.
        first: number of the first image; each number gives another image.

    Returns:
        The path of the folder or zip file.
    """
    path = Path(folder) / f'{category}_{split}_lmdb'
    path.mkdir(parents=True)
    contents = [encoded(number, encoding) for number in range(first, first + count + bad)]
    contents = contents[:count] + [cut_short(content) for content in contents[count:]]
    write_database(path, {hashlib.sha1(content).hexdigest(): content for content in contents})
    if not zipped:
        return path
    with zipfile.ZipFile(path.with_suffix('.zip'), 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.write(path / 'data.mdb', f'{path.name}/data.mdb')
        archive.writestr(f'{path.name}/lock.mdb', bytes(8192))
    shutil.rmtree(path)
    return path.with_suffix('.zip')


def write_database(path, records):
    with lmdb.open(str(path), map_size=1 << 30, lock=False) as environment, environment.begin(write=True) as written:
        for key, content in records.items():
            written.put(key.encode(), content)


def make_imagenet(folder, subset='cat', count=2, form='tar', others=('n01440764', 'n15075141')):
    """Makes `ILSVRC2012_img_train.tar`, or a `train/` folder, with `count` images of each class.

    Args:
        folder: to be the `manual_dir`.
        subset: `dog` or `cat`.
        count: of images in a class, 60 x 80 pixels.
        form: `tar` (tar files in a tar file), `tars` (a folder of tar files) or `folder` (unpacked).
        others: WordNet ids of further classes, whose tar files are invalid.

    Returns:
        The path of the tar file or of `train/`.
    """
    folder = Path(folder)
    train = folder / 'train'
    train.mkdir(parents=True)
    for place, class_id in enumerate(class_ids(subset)):
        images = {f'{class_id}_{n}.JPEG': encoded(1000 * place + n) for n in range(count)}
        if form == 'folder':
            (train / class_id).mkdir()
            for name, content in images.items():
                (train / class_id / name).write_bytes(content)
        else:
            write_tar(train / f'{class_id}.tar', images)
    for class_id in others:
        (train / f'{class_id}.tar').write_bytes(b'not wanted, not a tar file ' * 100)
    if form != 'tar':
        return train
    path = folder / 'ILSVRC2012_img_train.tar'
    write_tar(path, {file.name: file.read_bytes() for file in sorted(train.iterdir())})
    shutil.rmtree(train)
    return path


def write_tar(path, files):
    with tarfile.open(path, 'w') as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
