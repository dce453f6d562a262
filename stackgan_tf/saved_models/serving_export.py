"""A folder that TensorFlow Serving serves as it is: the model under NAME/VERSION, and how to run and ask it."""

import dataclasses
import re
import string
from collections.abc import Sequence
from pathlib import Path

import stackgan_tf
from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.networks.folding import folded
from stackgan_tf.saved_models.saved_model import check_target, export_saved_model
from stackgan_tf.saved_models.verification import generator_check
from stackgan_tf.saved_models.warmup import write_warmup
from stackgan_tf.system.atomic_files import whole_folder
from stackgan_tf.system.errors import UserError

_TEMPLATES = Path(__file__).parent / 'templates'
_NAME = re.compile(r'[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?')  # what Kubernetes lets be a name is one in an address too
_LARGEST_BATCH = 256
# Files of the folder and the templates they are made of; settings that differ between them.
_CPU = {'image': 'tensorflow/serving:latest', 'accelerator': ''}
_GPU = {'image': 'tensorflow/serving:latest-gpu', 'accelerator': ', nvidia.com/gpu: 1'}
_FILES = {
    'models.config': ('models.config', _CPU),
    'batching_parameters.txt': ('batching_parameters.txt', _CPU),
    'monitoring.config': ('monitoring.config', _CPU),
    'docker-compose.yaml': ('docker-compose.yaml', _CPU),
    'docker-compose.gpu.yaml': ('docker-compose.gpu.yaml', _GPU),
    'kubernetes.yaml': ('kubernetes.yaml', _CPU),
    'kubernetes.gpu.yaml': ('kubernetes.yaml', _GPU),
    'README.md': ('serving.md', _CPU),
}
# Of each kind of model: what a request says besides its seed, in JSON, in Python, and to the client of this package.
_ASKED = {
    'text': (
        '"caption": ["a small red bird"], ',
        "'caption': ['a small red bird']",
        ' --caption="a small red bird"',
    ),
    'class': ('"label": [0], ', "'label': np.array([0], np.int64)", ' --label=0'),
    'embedding': (
        '"embedding": [\'"$$(python3 -c "print([0.0] * $dimension)")"\'], ',
        "'embedding': np.zeros((1, $dimension), np.float32)",
        '',
    ),
    'unconditional': ('', '', ''),
}


@dataclasses.dataclass(frozen=True)
class ServedAs:
    """How a model is served.

    Attributes:
        name: in addresses; lower-case letters, digits and dashes.
        version: from 1 on; TensorFlow Serving serves the highest.
        batch_sizes: that requests are padded to, rising; a larger request is refused.

    Raises:
        UserError: one of them is none.
    """

    name: str
    version: int = 1
    batch_sizes: Sequence[int] = (1, 2, 4, 8)

    def __post_init__(self) -> None:
        """Checks them."""
        if not _NAME.fullmatch(self.name):
            raise UserError(f'--name={self.name} is none: lower-case letters, digits and dashes, such as painted-birds')
        sizes = list(self.batch_sizes)
        if not sizes or sizes != sorted(set(sizes)) or sizes[0] < 1 or sizes[-1] > _LARGEST_BATCH:
            raise UserError(f'--batch_sizes must rise from 1 or more to at most {_LARGEST_BATCH}, such as 1,2,4,8')


def name_of(text: str) -> str:
    """A name to serve something under, from whatever it is called."""
    return re.sub('[^a-z0-9]+', '-', text.lower()).strip('-')[:50].strip('-') or 'stackgan'


def export_for_serving(generator: NetworkGenerator, target: Path, served: ServedAs) -> Path:
    """Writes the folder; where there is one with the same model, only the new version, whole at once.

    Args:
        generator: the model.
        target: the folder to make.
        served: how.

    Returns:
        The folder of the version.

    Raises:
        UserError: the version is there already, the folder is something else, or the check of the export fails.
    """
    version = target / served.name / str(served.version)
    check_target(version)
    if (target / served.name).is_dir():
        _write_version(generator, version, served)
        return version
    check_target(target)
    texts = {name: _filled(*template, generator, served) for name, template in _FILES.items()}
    with whole_folder(target) as beside:
        for name, text in texts.items():
            (beside / name).write_text(text, encoding='utf-8')
        _write_version(generator, beside / served.name / str(served.version), served)
    return version


def _write_version(generator: NetworkGenerator, folder: Path, served: ServedAs) -> None:
    check = generator_check(generator)

    def warm_and_check(beside: Path) -> None:
        write_warmup(beside, served.name, generator, served.batch_sizes)
        check(beside)

    export_saved_model(folded(generator.network), folder, generator.encoder, generator.class_names, warm_and_check)


def _filled(template: str, settings: dict[str, str], generator: NetworkGenerator, served: ServedAs) -> str:
    """A template with everything in its place."""
    json, python, flags = (
        string.Template(each).substitute(dimension=generator.embedding_dimension) for each in _ASKED[generator.kind]
    )
    return string.Template((_TEMPLATES / template).read_text(encoding='utf-8')).substitute(
        settings,
        name=served.name,
        version=served.version,
        kind=generator.kind,
        sizes=', '.join(map(str, generator.sizes)),
        largest_batch=served.batch_sizes[-1],
        batch_sizes='\n'.join(f'allowed_batch_sizes: {size}' for size in served.batch_sizes),
        asked_json=json,
        asked_python=f'{python}, ' if python else '',
        asked_flags=flags,
        package=f'stackgan_tf {stackgan_tf.__version__}',
    )
