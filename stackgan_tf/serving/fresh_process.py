"""A program of its own, which has TensorFlow and NumPy alone: asks an export what `verification.py` wants to know.

python fresh_process.py EXPORT ASKED.npz ANSWERED.npz. Names inside: SIGNATURE/INPUT; answers SIGNATURE/OUTPUT of all
rows in one call, and SIGNATURE/OUTPUT/alone of each row in a call of its own. PNG files are decoded.
"""

import sys
from collections import defaultdict
from typing import Any

import numpy as np
import tensorflow as tf


def _decoded(output: tf.Tensor) -> np.ndarray:
    """An output as an array; PNG files become uint8 `[N, s, s, 3]`."""
    if output.dtype != tf.string:
        return output.numpy()
    return np.stack([tf.io.decode_png(png).numpy() for png in output.numpy()])


def _answers(signature: Any, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    answers = {name: _decoded(output) for name, output in signature(**_tensors(inputs)).items()}
    count = len(next(iter(inputs.values())))
    alone = [signature(**_tensors({k: v[row : row + 1] for k, v in inputs.items()})) for row in range(count)]
    return answers | {f'{name}/alone': np.concatenate([_decoded(each[name]) for each in alone]) for name in answers}


def _tensors(inputs: dict[str, np.ndarray]) -> dict[str, tf.Tensor]:
    return {name: tf.constant(array) for name, array in inputs.items()}


def main(export: str, asked: str, answered: str) -> None:
    """Loads, asks, writes."""
    model = tf.saved_model.load(export)
    requests: dict[str, dict[str, np.ndarray]] = defaultdict(dict)
    with np.load(asked, allow_pickle=False) as file:
        for name, array in file.items():
            signature, _, field = name.partition('/')
            requests[signature][field] = array
    found = {
        f'{signature}/{name}': array
        for signature, inputs in requests.items()
        for name, array in _answers(model.signatures[signature], inputs).items()
    }
    np.savez(answered, **found)  # type: ignore[arg-type]


if __name__ == '__main__':
    main(*sys.argv[1:])
