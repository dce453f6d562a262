"""Example requests, for the verification and the warm-up of exports."""

import numpy as np

from stackgan_tf.generator import Generator, NetworkGenerator

CAPTIONS = (
    'a small red bird with a black crown',
    'this blue bird has a white belly, yellow wings and a green crown',
    'A BIRD \N{BIRD}',
    '',
)


def example_request(generator: NetworkGenerator, count: int) -> dict[str, np.ndarray]:
    """Inputs of the signatures `serving_default` and `images` for a model of any kind.

    Args:
        generator: the model.
        count: N, number of rows.

    Returns:
        Arrays `[N, ...]` by name: int64 `seed` and, depending on the kind of model, `caption` (UTF-8 bytes), int64
        `label` or float32 `embedding`.
    """
    seeds = np.arange(count, dtype=np.int64)
    condition: dict[str, np.ndarray] = {}
    if generator.kind == 'text':
        condition['caption'] = np.array([CAPTIONS[row % len(CAPTIONS)].encode() for row in range(count)])
    elif generator.kind == 'class':
        condition['label'] = seeds % len(generator.class_names)
    elif generator.kind == 'embedding':
        condition['embedding'] = _embeddings_like_those_of_training(generator, count)
    return condition | {'seed': seeds}


def _embeddings_like_those_of_training(generator: NetworkGenerator, count: int) -> np.ndarray:
    """Random embeddings, float32 `[count, T]`, of the scale that the network knows: others give saturated images."""
    values = np.random.default_rng(0).normal(size=(count, generator.embedding_dimension))
    reader = getattr(generator.network, 'stage_one', generator.network)
    if reader.whiten is not None:
        return reader.whiten.embeddings_of(values).astype(np.float32)
    mean, deviation = generator.embedding_scale
    return (mean + deviation * values).astype(np.float32)


def embeddings_of(generator: Generator, request: dict[str, np.ndarray]) -> np.ndarray | None:
    """The embeddings of a request's conditions, float32 `[N, T]`; None without a condition."""
    if 'caption' in request:
        return generator.embed([caption.decode() for caption in request['caption']])
    return generator.embed(request['label']) if 'label' in request else request.get('embedding')
