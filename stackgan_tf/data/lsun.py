"""LSUN scenes. The reader of its databases comes with the paper's other data sets."""

from stackgan_tf.user_error import UserError


class LsunPictures:
    """One category of LSUN.

    Args:
        root: the folder that holds `CATEGORY_train_lmdb`.
        category: for example `bedroom`.

    Raises:
        UserError: always, in this version: it says what the recipe needs.
    """

    def __init__(self, root: str, category: str) -> None:
        raise UserError(
            f'this recipe needs the LSUN database {category}_train_lmdb in IMAGE_ROOT ({root!r}), which this version '
            'cannot read yet; try --dry_run, or gin/quickstart.gin, which brings its own data'
        )
