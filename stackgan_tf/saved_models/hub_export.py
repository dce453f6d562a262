"""A model as one archive, to which a TF Hub handle resolves."""

import gzip
import tarfile
from pathlib import Path

from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.saved_models.saved_model import check_target, export_saved_model
from stackgan_tf.saved_models.verification import generator_check
from stackgan_tf.system.atomic_files import scratch_folder
from stackgan_tf.system.errors import UserError

SUFFIX = '.tar.gz'


def export_for_hub(generator: NetworkGenerator, target: Path, card: str) -> None:
    """Writes the archive: a SavedModel with a model card as README.md. It is unpacked and verified first.

    Args:
        generator: the model.
        target: the file to create.
        card: see `model_card`.

    Raises:
        UserError: the file exists, its name does not end with `.tar.gz`, or the verification fails.
    """
    if not target.name.endswith(SUFFIX):
        raise UserError(f'{target} does not end with {SUFFIX}, the suffix of TF Hub archives: name it so')
    check_target(target)
    check = generator_check(generator)
    with scratch_folder(target) as scratch:
        export_saved_model(generator.network, scratch / 'model', generator.encoder, generator.class_names)
        (scratch / 'model' / 'README.md').write_text(card, encoding='utf-8')
        _pack(scratch / 'model', scratch / 'archive')
        with tarfile.open(scratch / 'archive') as archive:
            archive.extractall(scratch / 'unpacked', filter='data')
        check(scratch / 'unpacked')
        (scratch / 'archive').rename(target)


def _pack(folder: Path, archive: Path) -> None:
    """Packs the content of a folder, without the times, users and groups of this machine."""

    def anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.mtime = entry.uid = entry.gid = 0
        entry.uname = entry.gname = ''
        return entry

    with (
        archive.open('wb') as file,
        gzip.GzipFile('', 'wb', fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode='w') as tar,
    ):
        for path in sorted(folder.iterdir()):
            tar.add(path, path.name, filter=anonymous)
