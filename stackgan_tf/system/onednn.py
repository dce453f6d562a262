"""oneDNN's CPU kernels, chosen before TensorFlow is imported: afterwards TensorFlow keeps what it has.

By itself TensorFlow uses them only where it finds AVX-512 VNNI, AVX-512 BF16 or AMX. On plain AVX2 they are faster too
(docs/performance.md).
"""

import json
import os
import platform
import sys
from pathlib import Path

from stackgan_tf.system.atomic_files import read_back

VARIABLE = 'TF_ENABLE_ONEDNN_OPTS'
KEY = 'onednn'  # in `environment.json`
_X86 = ('x86_64', 'amd64', 'i686')

_chosen_here = False


def choose_onednn() -> None:
    """Switches oneDNN on, unless the user set `TF_ENABLE_ONEDNN_OPTS`, TensorFlow is imported, or this is not x86.

    On Arm the same variable selects other kernels, which nobody here has measured. Kernels of GPUs do not depend on it.
    """
    global _chosen_here
    if VARIABLE not in os.environ and 'tensorflow' not in sys.modules and platform.machine().lower() in _X86:
        os.environ[VARIABLE] = '1'
        _chosen_here = True


def choose_onednn_as_begun(environment_file: Path) -> None:
    """Takes the setting that a run began with, so that resuming it stays exact; a user's own variable wins.

    Args:
        environment_file: the run's `environment.json`; without one, or without the setting in it, nothing changes.

    Raises:
        UserError: the file is damaged.
    """
    if not _chosen_here or 'tensorflow' in sys.modules or not environment_file.is_file():
        return
    with read_back(environment_file):
        begun_with = json.loads(environment_file.read_text(encoding='utf-8'))['starts'][0].get(KEY)
    if begun_with is not None:
        os.environ[VARIABLE] = str(int(begun_with))


def onednn_is_on() -> bool:
    """Whether TensorFlow computes with oneDNN in this process."""
    from tensorflow.python.util import _pywrap_util_port  # there is no public way to ask

    return bool(_pywrap_util_port.IsMklEnabled())
