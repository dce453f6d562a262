"""A program of its own, which has TensorFlow and NumPy alone: asks an export what `verification.py` wants to know.

python fresh_process.py EXPORT ASKED.npz ANSWERED.npz. Names inside: SIGNATURE/INPUT; answers SIGNATURE/OUTPUT of all
rows in one call, and SIGNATURE/OUTPUT/alone of each row in a call of its own. PNG files are decoded.
"""

import sys
from collections import defaultdict

import numpy as np
import tensorflow as tf


class _Served:
    """An export as a server loads it: a session of the graph with the tag `serve`.

    That is stricter than `tf.saved_model.load`, which finds variables that a server does not.
    """

    def __init__(self, export: str) -> None:
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        with self._session.graph.as_default():
            self._signatures = tf.compat.v1.saved_model.load(self._session, ['serve'], export).signature_def

    def ask(self, name: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs of a signature; PNG files become uint8 `[N, s, s, 3]`."""
        signature = self._signatures[name]
        wanted = {key: tensor.name for key, tensor in signature.outputs.items()}
        found = self._session.run(wanted, {signature.inputs[key].name: array for key, array in inputs.items()})
        return {key: _decoded(output) for key, output in found.items()}


def _decoded(output: np.ndarray) -> np.ndarray:
    return output if output.dtype != object else np.stack([tf.io.decode_png(png).numpy() for png in output])


def _answers(served: _Served, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    answers = served.ask(signature, inputs)
    count = len(next(iter(inputs.values())))
    alone = [
        served.ask(signature, {name: rows[row : row + 1] for name, rows in inputs.items()}) for row in range(count)
    ]
    return answers | {f'{name}/alone': np.concatenate([each[name] for each in alone]) for name in answers}


def main(export: str, asked: str, answered: str) -> None:
    """Loads, asks, writes."""
    served = _Served(export)
    requests: dict[str, dict[str, np.ndarray]] = defaultdict(dict)
    with np.load(asked, allow_pickle=False) as file:
        for name, array in file.items():
            signature, _, field = name.partition('/')
            requests[signature][field] = array
    found = {
        f'{signature}/{name}': array
        for signature, inputs in requests.items()
        for name, array in _answers(served, signature, inputs).items()
    }
    np.savez(answered, **found)  # type: ignore[arg-type]


if __name__ == '__main__':
    main(*sys.argv[1:])
