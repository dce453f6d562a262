"""LSUN as published: a folder with an LMDB database, which maps hashes to encoded images."""

from collections.abc import Iterator
from pathlib import Path

import lmdb

from stackgan_tf.system.errors import UserError

FILE = 'data.mdb'

# Pages stay in the process's memory until the database is closed, so it is closed and reopened after this many bytes.
_READ_BYTES = 1 << 20


class Database:
    """One of LSUN's databases. It is only read, so the disk may be read-only; no lock file is made.

    Args:
        folder: that holds `data.mdb`.

    Attributes:
        count: how many images there are.
        size: bytes.

    Raises:
        UserError: there is no database, or it is cut short.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        file = folder / FILE
        if not file.is_file():
            raise UserError(f'{folder} has no {FILE}: unpack {folder.name}.zip there again')
        self.size = file.stat().st_size
        try:
            with self._open() as environment:
                facts = environment.stat()
                self.count: int = facts['entries']
                whole = (environment.info()['last_pgno'] + 1) * facts['psize']
        except lmdb.Error as error:
            raise UserError(f'{file} is not an LMDB database ({error}): unpack {folder.name}.zip again') from error
        if self.size < whole:  # touching what is missing would end the process with SIGBUS
            raise UserError(f'{file} is cut short: {self.size:,} of {whole:,} bytes; unpack {folder.name}.zip again')

    def images(self) -> Iterator[tuple[str, bytes]]:
        """All images, in the order of their keys: SHA-1 sums, so the order has no meaning.

        Yields:
            Key, encoded image (WebP, or JPEG in the copies of 2015).

        Raises:
            UserError: the database is broken.
        """
        last: bytes | None = None
        try:
            while True:
                with self._open() as environment, environment.begin() as transaction:
                    cursor = transaction.cursor()
                    more = cursor.first() if last is None else cursor.set_key(last) and cursor.next()
                    read = 0
                    while more and read < _READ_BYTES:
                        last, image = cursor.item()
                        read += len(image)
                        yield last.decode('ascii', 'backslashreplace'), image
                        more = cursor.next()
                    if not more:
                        return
        except lmdb.Error as error:
            raise UserError(f'{self._folder} cannot be read to its end ({error}): unpack it again') from error

    def _open(self) -> lmdb.Environment:
        # Everything is read: without reading ahead, the process would wait for each page of 4 kB.
        return lmdb.open(str(self._folder), readonly=True, lock=False, readahead=True, meminit=False)
