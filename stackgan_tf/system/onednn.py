"""The choice of oneDNN's CPU kernels, which must precede the import of TensorFlow.

By default TensorFlow uses them only on CPUs with AVX-512 VNNI, AVX-512 BF16 or AMX. On plain AVX2 they are faster too
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
    """Enables oneDNN, unless the user set `TF_ENABLE_ONEDNN_OPTS`, TensorFlow is imported, or the CPU is not x86.

    On Arm the same variable selects other kernels, which are not measured. GPU kernels do not depend on it.
    """
    global _chosen_here
    if VARIABLE not in os.environ and 'tensorflow' not in sys.modules and platform.machine().lower() in _X86:
        os.environ[VARIABLE] = '1'
        _chosen_here = True


def restore_onednn(environment_file: Path) -> None:
    """Restores the setting with which a run started, so that it resumes exactly; the user's own variable wins.

    Args:
        environment_file: the run's `environment.json`; nothing changes if it, or the setting in it, is missing.

    Raises:
        UserError: the file is damaged.
    """
    if not _chosen_here or 'tensorflow' in sys.modules or not environment_file.is_file():
        return
    with read_back(environment_file):
        setting = json.loads(environment_file.read_text(encoding='utf-8'))['starts'][0].get(KEY)
        if setting is not None:
            os.environ[VARIABLE] = str(int(setting))


def onednn_is_on() -> bool:
    """Whether TensorFlow computes with oneDNN in this process."""
    from tensorflow.python.util import _pywrap_util_port  # there is no public function

    return bool(_pywrap_util_port.IsMklEnabled())
