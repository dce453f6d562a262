"""A folder for TensorFlow Serving: the model under NAME/VERSION, the configuration, and instructions."""

import dataclasses
import re
import reprlib
import string
from collections.abc import Sequence
from pathlib import Path

import stackgan_tf
from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.networks.folding import folded
from stackgan_tf.saved_generator import load_saved_model
from stackgan_tf.saved_models.config_protos import BatchingParameters, read_config
from stackgan_tf.saved_models.saved_model import check_target, export_saved_model
from stackgan_tf.saved_models.verification import generator_check
from stackgan_tf.saved_models.warmup import write_warmup
from stackgan_tf.system.atomic_files import whole_folder
from stackgan_tf.system.errors import UserError

_TEMPLATES = Path(__file__).parent / 'templates'
_NAME = re.compile(r'[a-z]([a-z0-9-]{0,48}[a-z0-9])?')  # valid in URLs, and as a service of Kubernetes
_BATCHING = 'batching_parameters.txt'
# What the clients of a model rely on, so that it is the same in all versions.
_INTERFACE = ('kind', 'sizes', 'class_names', 'noise_dimension', 'embedding_dimension', 'condition_dimension')
_LARGEST_BATCH = 256
# The files of the folder: their templates, and the settings that differ between them.
_CPU = {'image': 'tensorflow/serving:latest', 'accelerator': ''}
_GPU = {'image': 'tensorflow/serving:latest-gpu', 'accelerator': ', nvidia.com/gpu: 1'}
_FILES = {
    'models.config': ('models.config', _CPU),
    _BATCHING: (_BATCHING, _CPU),
    'monitoring.config': ('monitoring.config', _CPU),
    'docker-compose.yaml': ('docker-compose.yaml', _CPU),
    'docker-compose.gpu.yaml': ('docker-compose.gpu.yaml', _GPU),
    'kubernetes.yaml': ('kubernetes.yaml', _CPU),
    'kubernetes.gpu.yaml': ('kubernetes.yaml', _GPU),
    'README.md': ('serving.md', _CPU),
}
# The condition of a request by kind of model: in JSON, in Python, and as flags of this package's client.
_CONDITIONS = {
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
class ServingOptions:
    """The options of a served model.

    Attributes:
        name: in URLs; lower-case letters, digits and dashes, a letter first.
        version: at least 1; TensorFlow Serving serves the highest.
        batch_sizes: the sizes to which batches are padded, rising; a larger request is refused.

    Raises:
        UserError: an option is not valid.
    """

    name: str
    version: int = 1
    batch_sizes: Sequence[int] = (1, 2, 4, 8)

    def __post_init__(self) -> None:
        """Checks the options."""
        if not _NAME.fullmatch(self.name):
            raise UserError(
                f'--name={self.name} is not valid: use lower-case letters, digits and dashes, a letter first, '
                'at most 50, such as painted-birds'
            )
        sizes = list(self.batch_sizes)
        if not sizes or sizes != sorted(set(sizes)) or sizes[0] < 1 or sizes[-1] > _LARGEST_BATCH:
            raise UserError(f'--batch_sizes must rise from 1 or more to at most {_LARGEST_BATCH}, such as 1,2,4,8')


def name_of(text: str) -> str:
    """A valid name of a served model, derived from any text."""
    name = re.sub('[^a-z0-9]+', '-', text.lower()).strip('-')
    return (name if name[:1].isalpha() else f'stackgan-{name}')[:50].strip('-')


def versions_of(model: Path) -> list[Path]:
    """The versions in the folder of a served model, rising. The server ignores other names too."""
    numbered = [path for path in model.iterdir() if re.fullmatch('[0-9]+', path.name)] if model.is_dir() else []
    return sorted(numbered, key=lambda path: int(path.name))


def export_for_serving(generator: NetworkGenerator, target: Path, options: ServingOptions) -> Path:
    """Writes the folder atomically; if a folder of the same model exists, only the new version.

    Args:
        generator: the model.
        target: the folder to create.
        options: the name, version and batch sizes.

    Returns:
        The folder of the version.

    Raises:
        UserError: the version exists or differs from the others in what it is asked or answers, the folder is something
            else, or the verification of the export fails.
    """
    version = target / options.name / str(options.version)
    check_target(version)
    if (target / options.name).is_dir():
        _check_like_other_versions(generator, target, options)
        _write_version(generator, version, options)
        return version
    check_target(target)
    texts = {name: _filled(*template, generator, options) for name, template in _FILES.items()}
    with whole_folder(target) as scratch:
        for name, text in texts.items():
            (scratch / name).write_text(text, encoding='utf-8')
        _write_version(generator, scratch / options.name / str(options.version), options)
    return version


def _check_like_other_versions(generator: NetworkGenerator, target: Path, options: ServingOptions) -> None:
    """Refuses a version with which the server, or clients of the newest version, would fail.

    Raises:
        UserError: it has another interface or other batch sizes than the folder.
    """
    batching = read_config(target / _BATCHING, BatchingParameters)
    largest, allowed = batching.max_batch_size.value, list(batching.allowed_batch_sizes)
    if options.batch_sizes[-1] > largest or (allowed and allowed != list(options.batch_sizes)):
        sizes = ','.join(map(str, allowed)) or f'at most {largest}'
        raise UserError(
            f'{target / _BATCHING} is for all versions: export this one with --batch_sizes={sizes} too, or to another '
            '--output'
        )
    for version in versions_of(target / options.name)[-1:]:
        there = load_saved_model(str(version))
        for name in _INTERFACE:
            was, now = getattr(there, name), getattr(generator, name)
            if was != now:
                raise UserError(
                    f'{version} has {name} {reprlib.repr(was)}, this model {reprlib.repr(now)}: its clients would fail '
                    'with this version, so export it to another --output'
                )


def _write_version(generator: NetworkGenerator, folder: Path, options: ServingOptions) -> None:
    check = generator_check(generator)

    def add_warmup_and_check(scratch: Path) -> None:
        write_warmup(scratch, options.name, generator, options.batch_sizes)
        check(scratch)

    network = folded(generator.network)
    export_saved_model(network, folder, generator.encoder, generator.class_names, add_warmup_and_check)


def _filled(template: str, settings: dict[str, str], generator: NetworkGenerator, options: ServingOptions) -> str:
    """Fills a template."""
    json, python, flags = (
        string.Template(each).substitute(dimension=generator.embedding_dimension)
        for each in _CONDITIONS[generator.kind]
    )
    return string.Template((_TEMPLATES / template).read_text(encoding='utf-8')).substitute(
        settings,
        name=options.name,
        version=options.version,
        kind=generator.kind,
        sizes=', '.join(map(str, generator.sizes)),
        largest_batch=options.batch_sizes[-1],
        batch_sizes_flag=','.join(map(str, options.batch_sizes)),
        batch_sizes='\n'.join(f'allowed_batch_sizes: {size}' for size in options.batch_sizes),
        condition_json=json,
        condition_python=f'{python}, ' if python else '',
        condition_flags=flags,
        package=f'stackgan_tf {stackgan_tf.__version__}',
    )
