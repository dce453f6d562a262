"""Tiny archives of CUB-200-2011, Oxford-102 and MS COCO with captions in their published formats, for tests.

`make_cub`, `make_flowers` and `make_coco` make a whole `manual_dir`. The others return files as dicts, content by path,
which tests may change before `unpack`, `tgz` or `zipped` writes them.
"""

import functools
import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path
from unittest import mock

import numpy as np
import scipy.io
import tensorflow_datasets as tfds
from image_files import photograph

CUB = {
    'train': ('001.Black_footed_Albatross', '002.Laysan_Albatross', '014.Indigo_Bunting'),
    'test': ('004.Groove_billed_Ani', '200.Common_Yellowthroat'),
}
FLOWERS = {'train': ('class_00001', 'class_00003', 'class_00102'), 'test': ('class_00002', 'class_00077')}
COLORS = ('red', 'blue', 'yellow', 'black', 'white', 'brown', 'gray')
FLOWER_COUNT = 8189


@functools.cache
def jpeg(seed, mode='RGB'):
    """An image's bytes: 50 to 69 x 80 pixels."""
    file = io.BytesIO()
    photograph(50 + seed % 20, 80, seed).convert(mode).save(file, 'JPEG', quality=90)
    return file.getvalue()


def numbered(classes, per_class):
    """Each image of a data set's classes: its number from 0, split, class, and number in the class from 1."""
    listed = [(split, name, n) for split, names in classes.items() for name in names for n in range(1, per_class + 1)]
    return [(number, *row) for number, row in enumerate(listed)]


def cub_names(per_class=3):
    """Names of the images of each split, without ending."""
    names = {split: [] for split in CUB}
    for number, split, class_name, n in numbered(CUB, per_class):
        names[split].append(f'{class_name}/{class_name[4:]}_{n:04d}_{number + 1}')
    return names


def cub_files(per_class=3):
    """`CUB_200_2011/`."""
    names = [name for names in cub_names(per_class).values() for name in names]
    classes = {int(name[:3]): name for names in CUB.values() for name in names}
    tables = {
        'classes.txt': [f'{n} {classes.get(n, f"{n:03d}.Some_Bird")}' for n in range(1, 201)],
        'images.txt': [f'{n} {name}.jpg' for n, name in enumerate(names, 1)],
        'bounding_boxes.txt': [f'{n} {10.0 + n % 5} 8.0 40.0 30.0' for n in range(1, len(names) + 1)],
        'image_class_labels.txt': [f'{n} {int(name[:3])}' for n, name in enumerate(names, 1)],
        'train_test_split.txt': [f'{n} {n % 2}' for n in range(1, len(names) + 1)],  # CUB's own, which is not used
    }
    files = {f'CUB_200_2011/{name}': ('\n'.join(lines) + '\n').encode() for name, lines in tables.items()}
    return files | {f'CUB_200_2011/images/{name}.jpg': jpeg(n) for n, name in enumerate(names)}


def flower_names(per_class=3):
    """Names of the images of each split, without ending."""
    names = {split: [] for split in FLOWERS}
    for number, split, _, _ in numbered(FLOWERS, per_class):
        names[split].append(f'image_{number + 1:05d}')
    return names


def flower_files(per_class=3):
    """`jpg/`."""
    names = [name for names in flower_names(per_class).values() for name in names]
    return {f'jpg/{name}.jpg': jpeg(n) for n, name in enumerate(names)}


def flower_labels(per_class=3):
    """`imagelabels.mat`, with labels of all the images that Oxford-102 has."""
    labels = np.ones((1, FLOWER_COUNT), np.uint8)
    for number, _, class_name, _ in numbered(FLOWERS, per_class):
        labels[0, number] = int(class_name[-5:])
    file = io.BytesIO()
    scipy.io.savemat(file, {'labels': labels})
    return {'imagelabels.mat': file.getvalue()}


def coco_names(images=4):
    """Names of the images of each split, without ending."""
    numbers = {'train': range(9, 9 + 4 * images, 4), 'test': range(42, 42 + 4 * images, 4)}
    folders = {'train': 'train2014', 'test': 'val2014'}
    return {split: [f'COCO_{folders[split]}_{n:012d}' for n in numbers[split]] for split in numbers}


def coco_files(split, images=4):
    """`train2014/` or `val2014/`."""
    names = coco_names(images)[split]
    return {f'{name.split("_")[1]}/{name}.jpg': jpeg(int(name[-12:])) for name in names}


def coco_annotations(split, images=4):
    """The content of a file of captions, before JSON; the captions of an image are not adjacent."""
    names = coco_names(images)[split]
    return {
        'info': {'year': 2014},
        'images': [{'id': int(name[-12:]), 'file_name': f'{name}.jpg'} for name in names],
        'annotations': [
            {'image_id': int(name[-12:]), 'id': 100 * row + n, 'caption': caption}
            for row in range(5)
            for n, name in enumerate(names)
            for caption in [captions_of(n, 5, 'a dog')[row]]
        ],
    }


def coco_annotation_files(images=4):
    """`annotations/`."""
    files = {'train': 'captions_train2014.json', 'test': 'captions_val2014.json'}
    return {f'annotations/{files[split]}': json.dumps(coco_annotations(split, images)).encode() for split in files}


def captions_of(number, count=10, thing='this bird'):
    """Different captions of an image."""
    first = COLORS[number % len(COLORS)]
    return [f'{thing} is {first} with {COLORS[(number + n) % len(COLORS)]} parts, and {n} more.' for n in range(count)]


def caption_files(classes, names, thing='this bird'):
    """`text_c10/` of Reed et al."""
    per_class = len(names['train']) // len(classes['train'])
    flat = [name for split in names.values() for name in split]
    files = {}
    for number, _, class_name, _ in numbered(classes, per_class):
        text = '\n'.join(captions_of(number, 10, thing)) + '\n'
        files[f'text_c10/{class_name}/{flat[number].split("/")[-1]}.txt'] = text.encode()
    return files


def class_lists(classes):
    """`trainvalclasses.txt` and `testclasses.txt` of Reed et al."""
    names = {'train': 'trainvalclasses.txt', 'test': 'testclasses.txt'}
    return {names[split]: ('\n'.join(classes[split]) + '\n').encode() for split in names}


def release_files(names, captions=10, prefix=''):
    """`train/` and `test/` of StackGAN's release, pickled as by Python 2. Each embedding holds its position."""
    files = {}
    for split, listed in names.items():
        rows = [np.full((captions, 1024), n + (1000 if split == 'test' else 0), np.float32) for n in range(len(listed))]
        files[f'{split}/filenames.pickle'] = pickle.dumps([prefix + name for name in listed], protocol=2)
        files[f'{split}/char-CNN-RNN-embeddings.pickle'] = pickle.dumps(rows, protocol=2)
        files[f'{split}/class_info.pickle'] = pickle.dumps(list(range(len(listed))), protocol=2)
    return files


def below(folder, files):
    """The same files in a folder."""
    return {f'{folder}/{path}': content for path, content in files.items()}


def unpack(folder, files):
    """Writes files into a folder."""
    for name, content in files.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def tgz(path, files):
    """Writes a compressed tar file."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, 'w:gz') as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return Path(path)


def zipped(path, files):
    """Writes a zip file."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, 'w') as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return Path(path)


def make_cub(folder, packed=True, per_class=3, embeddings=True):
    """A `manual_dir` for `cub200_captions`: 3 classes of `train`, 2 of `test`.

    Args:
        folder: to be the `manual_dir`.
        packed: whether there are the published archives, or what they unpack to.
        per_class: how many images there are of each class.
        embeddings: whether StackGAN's release is there, too.
    """
    names = cub_names(per_class)
    texts = caption_files(CUB, names) | class_lists(CUB)
    if packed:
        tgz(Path(folder) / 'CUB_200_2011.tgz', cub_files(per_class))
        tgz(Path(folder) / 'cvpr2016_cub.tar.gz', below('cvpr2016_cub', texts))
    else:
        unpack(folder, cub_files(per_class) | below('cvpr2016_cub', texts))
    if embeddings:
        unpack(folder, below('birds', release_files(names)))


def make_flowers(folder, packed=True, per_class=3, embeddings=True):
    """A `manual_dir` for `flowers_captions`; see `make_cub`."""
    names = flower_names(per_class)
    texts = caption_files(FLOWERS, names, 'this flower') | class_lists(FLOWERS)
    if packed:
        tgz(Path(folder) / '102flowers.tgz', flower_files(per_class))
        tgz(Path(folder) / 'cvpr2016_flowers.tar.gz', below('cvpr2016_flowers', texts))
    else:
        unpack(folder, flower_files(per_class) | below('cvpr2016_flowers', texts))
    unpack(folder, flower_labels(per_class))
    if embeddings:
        unpack(folder, below('flowers', release_files(names, prefix='jpg/')))


def make_coco(folder, packed=True, images=4, embeddings=True):
    """A `manual_dir` for `coco2014_captions`, with `images` images in each split; see `make_cub`."""
    parts = {'train2014': coco_files('train', images), 'val2014': coco_files('test', images)}
    parts['annotations_trainval2014'] = coco_annotation_files(images)
    for name, files in parts.items():
        if packed:
            zipped(Path(folder) / f'{name}.zip', files)
        else:
            unpack(folder, files)
    if embeddings:
        unpack(folder, below('coco', release_files(coco_names(images), 5)))


def prepared(builder_class, data_dir, manual_dir, config=None):
    """A prepared builder; nothing is downloaded."""
    builder = builder_class(data_dir=str(data_dir), config=config)
    settings = tfds.download.DownloadConfig(manual_dir=str(manual_dir), try_download_gcs=False)
    refusal = AssertionError('this test would download something')
    with mock.patch.object(tfds.download.DownloadManager, 'download', side_effect=refusal):
        builder.download_and_prepare(download_config=settings)
    return builder


def examples(builder, split):
    """The examples of a split by name of the image; images stay encoded."""
    found = builder.as_dataset(split=split, decoders={'image': tfds.decode.SkipDecoding()}).as_numpy_iterator()
    return {example['filename'].decode().rpartition('.')[0]: example for example in found}
