"""Files that are either whole or not there: written beside their place, then renamed."""

import json
import os
from pathlib import Path
from typing import Any


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that a reader, a crash or a full disk never sees half of it; makes its folder.

    Raises:
        OSError: and then the old file, if there was one, is as before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        with beside.open('wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Writes `value` as indented JSON, whole."""
    write_whole(path, (json.dumps(value, indent=2) + '\n').encode())
