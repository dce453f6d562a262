"""A script that calls the signatures of an export with TensorFlow and NumPy alone; see `verification.py`.

python fresh_process.py EXPORT REQUESTS.npz OUTPUTS.npz. Requests are named SIGNATURE/INPUT; outputs SIGNATURE/OUTPUT
for all rows in one call, and SIGNATURE/OUTPUT/alone for one call per row. PNG files are decoded.
"""

import sys
from collections import defaultdict

import numpy as np
import tensorflow as tf


class _ServedExport:
    """An export as a server loads it: a session of the graph with the tag `serve`.

    This is stricter than `tf.saved_model.load`, which finds variables that a server does not.
    """

    def __init__(self, export: str) -> None:
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        with self._session.graph.as_default():
            self._signatures = tf.compat.v1.saved_model.load(self._session, ['serve'], export).signature_def

    def call(self, name: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs of a signature; PNG files become uint8 `[N, s, s, 3]`."""
        signature = self._signatures[name]
        fetches = {key: tensor.name for key, tensor in signature.outputs.items()}
        outputs = self._session.run(fetches, {signature.inputs[key].name: array for key, array in inputs.items()})
        return {key: _decoded(output) for key, output in outputs.items()}


def _decoded(output: np.ndarray) -> np.ndarray:
    return output if output.dtype != object else np.stack([tf.io.decode_png(png).numpy() for png in output])


def _outputs(export: _ServedExport, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    together = export.call(signature, inputs)
    count = len(next(iter(inputs.values())))
    alone = [
        export.call(signature, {name: rows[row : row + 1] for name, rows in inputs.items()}) for row in range(count)
    ]
    return together | {f'{name}/alone': np.concatenate([each[name] for each in alone]) for name in together}


def main(folder: str, requests_file: str, outputs_file: str) -> None:
    """Loads an export, calls its signatures, writes the outputs."""
    export = _ServedExport(folder)
    requests: dict[str, dict[str, np.ndarray]] = defaultdict(dict)
    with np.load(requests_file, allow_pickle=False) as file:
        for name, array in file.items():
            signature, _, field = name.partition('/')
            requests[signature][field] = array
    outputs = {
        f'{signature}/{name}': array
        for signature, inputs in requests.items()
        for name, array in _outputs(export, signature, inputs).items()
    }
    np.savez(outputs_file, **outputs)  # type: ignore[arg-type]


if __name__ == '__main__':
    main(*sys.argv[1:])
