"""Everything that is measured of a text-to-image model where it is known what captions name."""

import numpy as np
import tensorflow as tf

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.image_pyramid import image_pyramid
from stackgan_tf.evaluation.asked_captions import AskedCaptions, draw_captions
from stackgan_tf.evaluation.attribute_reader import AttributeReader
from stackgan_tf.evaluation.caption_consistency import caption_consistency
from stackgan_tf.evaluation.diversity import diversity
from stackgan_tf.evaluation.r_precision import other_captions, r_precision
from stackgan_tf.evaluation.score import Score
from stackgan_tf.evaluation.zero_shot import in_batches
from stackgan_tf.generator import Generator
from stackgan_tf.text.text_encoder import TextEncoder
from stackgan_tf.user_error import UserError

DIVERSITY_SEEDS = 100  # pictures of a caption
DIVERSITY_CAPTIONS = 10


def check_measurable(generator: Generator, reader: AttributeReader, encoder: TextEncoder | None) -> None:
    """Refuses what cannot be measured so.

    Raises:
        UserError: the model reads no captions, or the classifier or the encoder are for other sizes.
    """
    if generator.kind != 'text':
        raise UserError(f'this model is {generator.kind}: only models that read captions can be measured by them')
    if reader.size not in generator.sizes:
        sizes = ', '.join(map(str, generator.sizes))
        raise UserError(f'the classifier reads pictures of {reader.size} pixels, the model makes {sizes}')
    if encoder is not None and (encoder.image_size is None or encoder.image_size > reader.size):
        raise UserError(f'the text encoder cannot read pictures of {reader.size} pixels: leave out R-precision')


def text_to_image_scores(
    generator: Generator,
    reader: AttributeReader,
    source: ExampleSource,
    encoder: TextEncoder | None,
    count: int = 1000,
    seed: int = 0,
) -> dict[str, Score]:
    """Draws captions of a source and measures the pictures.

    Args:
        generator: of kind text.
        reader: tells what is in pictures of one of the generator's sizes.
        source: pictures with captions, of which it is known what they name; best of classes that the model never saw.
        encoder: for R-precision: one that was trained with pictures.
        count: how many captions.
        seed: of everything that is drawn; caption i is drawn with the model's seed `seed + i`.

    Returns:
        `caption_consistency` and that of each attribute, `classifier_accuracy_NAME` on the source's pictures,
        `diversity` where classes have several pictures, and with an encoder `r_precision`, and `r_precision_real` of
        the source's own pictures.

    Raises:
        UserError: the source lacks something, or the parts do not fit together.
    """
    check_measurable(generator, reader, encoder)
    asked, named = source.attributes(), source.caption_attributes()
    drawn = draw_captions(source, count, seed)
    embeddings = generator.embed(list(drawn.texts))
    images = generator.generate_every_size(range(seed, seed + count), embeddings)[reader.size]
    scores = caption_consistency(reader.read(images), asked[drawn.examples], named[drawn.rows], reader.names)
    for name, accuracy in reader.accuracies(source).items():
        error = float(np.sqrt(accuracy * (1 - accuracy) / source.count))
        scores[f'classifier_accuracy_{name}'] = Score(accuracy, error, source.count)
    if encoder is not None:
        real = _real_pictures(source, drawn.examples, reader.size, seed)
        scores |= _r_precisions(encoder, source, drawn, {'r_precision': images, 'r_precision_real': real}, seed)
    return scores | _diversity(generator, source, drawn, embeddings, reader.size, seed)


def _r_precisions(
    encoder: TextEncoder, source: ExampleSource, drawn: AskedCaptions, images: dict[str, np.ndarray], seed: int
) -> dict[str, Score]:
    captions = source.captions()
    texts = in_batches(encoder, tf.constant(captions.texts, tf.string))
    caption_labels = np.repeat(source.labels(), captions.choices.counts)
    others = other_captions(drawn.labels, caption_labels, seed)
    assert encoder.image_size is not None
    sizes = _doublings(encoder.image_size, next(iter(images.values())).shape[1])
    scores = {}
    for name, pictures in images.items():
        small = image_pyramid(tf.constant(pictures), tf.zeros(len(pictures), tf.bool), sizes)[0]
        encoded = in_batches(encoder.encode_images, small)
        scores[name] = r_precision(encoded, texts[drawn.rows], texts[others])
    return scores


def _doublings(smallest: int, largest: int) -> list[int]:
    sizes = [smallest]
    while sizes[-1] < largest:
        sizes.append(2 * sizes[-1])
    return sizes


def _diversity(
    generator: Generator,
    source: ExampleSource,
    drawn: AskedCaptions,
    embeddings: np.ndarray,
    size: int,
    seed: int,
) -> dict[str, Score]:
    """Diversity of the first captions of different classes; nothing if none has two pictures."""
    _, first = np.unique(drawn.labels, return_index=True)
    own = {caption: np.flatnonzero(source.labels() == drawn.labels[caption]) for caption in np.sort(first)}
    chosen = [caption for caption, examples in own.items() if len(examples) > 1][:DIVERSITY_CAPTIONS]
    if not chosen:
        return {}
    seeds = range(seed, seed + DIVERSITY_SEEDS)
    told = [np.repeat(embeddings[caption][None], DIVERSITY_SEEDS, axis=0) for caption in chosen]
    made = [generator.generate_every_size(seeds, of_caption)[size] for of_caption in told]
    return {'diversity': diversity(made, [_real_pictures(source, own[caption], size, seed) for caption in chosen])}


def _real_pictures(source: ExampleSource, examples: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Random crops of examples, as in training: uint8 `[N, size, size, 3]`."""
    draws = np.random.default_rng(seed).random((len(examples), 2), np.float32)
    return source.crops(tf.constant(examples), tf.constant(draws), size).numpy()
