"""Reads gin files without the statements that can run other people's code: imports, and files inside packages."""

import tokenize
from collections.abc import Sequence
from pathlib import Path

import gin
from gin import config_parser, utils
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.text_files import text_encoding


def bind_all(files: Sequence[str], settings: Sequence[str], roots: Sequence[Path]) -> None:
    """Binds the statements of files and settings in order; later ones override earlier ones.

    Args:
        files: gin files, which may include others.
        settings: single settings such as `STEPS = 100`.
        roots: the folders in which files are searched.

    Raises:
        UserError: a file is missing or includes itself; a statement is not gin, names an unknown thing, or imports.
    """
    where = ''  # errors in files name their place themselves
    try:
        for file in files:
            _bind_file(file, roots, ())
        for setting in settings:
            where = f'{setting!r}: '
            _bind(setting, roots, ())
    except UserError:
        raise
    except Exception as error:  # gin and Python's tokenizer raise about ten kinds of error
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = ' '.join(lines) or f'this is not a recipe ({type(error).__name__})'
        if where and reason.startswith(('Unable to parse value', 'malformed node')):
            reason = "its value cannot be read; text needs quotes, as in IMAGE_ROOT = '/my/images'"
        raise UserError(where + reason) from error


def _bind_file(name: str, roots: Sequence[Path], above: tuple[Path, ...]) -> None:
    # A recipe's neighbor first: the working directory may be any.
    places = [above[-1].parent, *roots] if above else roots
    path = next((place / name for place in places if (place / name).is_file()), None)
    if path is None:
        raise UserError(f'{above[-1] if above else "the command"} includes {name!r}, which is not there')
    if path.resolve() in above:
        raise UserError(f'{path} includes itself, or one that includes it')
    try:
        with path.open('rb') as file:
            encoding = text_encoding(file.read(4))
        with path.open(encoding=encoding) as text:
            _bind(text, roots, (*above, path.resolve()))
    except (UnicodeDecodeError, tokenize.TokenError) as error:  # these do not name the file
        raise UserError(f'{path} is not a recipe: {getattr(error, "reason", error.args[0])}') from error


def _bind(text: object, roots: Sequence[Path], above: tuple[Path, ...]) -> None:
    """Like `gin.parse_config`."""
    for statement in config_parser.ConfigParser(text, gin.config.ParserDelegate()):
        if isinstance(statement, config_parser.ImportStatement):
            where = f'{above[-1]}, line {statement.location.line_num}' if above else 'a setting'
            raise UserError(f'{where} asks for {statement.format()!r}: recipes import nothing, take that line out')
        if isinstance(statement, config_parser.IncludeStatement):
            _bind_file(statement.filename, roots, above)
        if isinstance(statement, config_parser.BindingStatement):
            scope, selector, parameter, value, location = statement
            if not parameter:
                scope, selector, parameter = f'{scope}/{selector}'.lstrip('/'), 'gin.macro', 'value'
            with utils.try_with_location(location):
                gin.bind_parameter((scope, selector, parameter), value)
