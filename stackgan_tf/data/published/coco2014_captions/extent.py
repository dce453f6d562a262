"""How much there is to prepare: what decides into how many files it is written."""

import zipfile
from pathlib import Path

from stackgan_tf.system.errors import UserError


def count_and_bytes(path: Path) -> tuple[int, int]:
    """How many files there are in a folder or zip file, and how many bytes they have.

    Raises:
        UserError: it is no zip file, or broken.
    """
    if path.is_dir():
        sizes = [file.stat().st_size for file in path.rglob('*') if file.is_file()]
    else:
        try:
            with zipfile.ZipFile(path) as archive:
                sizes = [member.file_size for member in archive.infolist() if not member.is_dir()]
        except (zipfile.BadZipFile, OSError) as error:
            raise UserError(f'{path} cannot be read ({error}): fetch it again') from error
    return len(sizes), sum(sizes)
