"""Whole JSON documents: arrays of records, records by file name, COCO, StyleGAN's `dataset.json`, Karpathy's splits."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeGuard

Record = Mapping[str, Any]


def document_records(document: Any) -> Iterator[Any] | None:
    """The records of a JSON document, as `Columns` reads them; None if it is of no known layout."""
    if isinstance(document, list):
        return iter(document)
    if not isinstance(document, dict):
        return None
    readers: tuple[Callable[[Record], Iterator[Record] | None], ...] = (_coco, _karpathy, _stylegan, _by_name)
    return next((found for read in readers if (found := read(document)) is not None), None)


def _coco(document: Record) -> Iterator[Record] | None:
    """COCO's annotations: images and captions (or categories) that refer to each other by number."""
    images, annotations = document.get('images'), document.get('annotations')
    if not _are_records(images, 'id') or not _are_records(annotations, 'image_id'):
        return None
    named = document.get('categories')
    categories = {each['id']: each.get('name') for each in named} if _are_records(named, 'id') else {}
    captions, labels = defaultdict(list), defaultdict(set)
    for each in annotations:
        if isinstance(each.get('caption'), str):
            captions[each['image_id']].append(each['caption'])
        if (category := categories.get(each.get('category_id'))) is not None:
            labels[each['image_id']].add(category)
    # Images of objects of several categories have no classes.
    single = all(len(each) == 1 for each in labels.values())
    classes = {number: each.pop() for number, each in labels.items()} if single else {}
    return (
        {
            'file_name': image.get('file_name'),
            **({'captions': captions[image['id']]} if captions else {}),
            **({'label': classes.get(image['id'])} if classes else {}),
        }
        for image in images
    )


def _karpathy(document: Record) -> Iterator[Record] | None:
    """The splits of Karpathy and Fei-Fei for COCO, Flickr8k and Flickr30k (`dataset_flickr8k.json`)."""
    images = document.get('images')
    if not _are_records(images, 'sentences'):
        return None
    splits = {'restval': 'train'}
    return (
        {
            'file_name': image.get('filename'),
            'captions': [each.get('raw') for each in image['sentences'] if isinstance(each, dict)],
            'split': splits.get(str(image.get('split')), image.get('split')),
        }
        for image in images
    )


def _stylegan(document: Record) -> Iterator[Record] | None:
    """The classes of StyleGAN2-ADA and StyleGAN3: pairs of name and number, or numbers by name."""
    labels = document.get('labels')
    if isinstance(labels, dict):
        labels = list(labels.items())
    if not isinstance(labels, list) or not all(isinstance(each, list | tuple) and len(each) == 2 for each in labels):
        return None
    return ({'file_name': name, 'label': label} for name, label in labels)


def _by_name(document: Record) -> Iterator[Record] | None:
    """Captions or records by file name, as kohya_ss writes them."""
    if not document or not all(isinstance(value, str | list | dict) for value in document.values()):
        return None
    return (
        {'file_name': name, **value} if isinstance(value, dict) else {'file_name': name, 'captions': value}
        for name, value in document.items()
    )


def _are_records(value: Any, key: str) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) and key in each for each in value)
