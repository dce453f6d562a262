"""Text files as people's programs write them: with or without a byte order mark."""

import codecs


def text_encoding(start: bytes) -> str:
    """The encoding that the first bytes of a text file show: UTF-16 with a byte order mark, else UTF-8."""
    return 'utf-16' if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else 'utf-8-sig'
