"""The knobs of recipes that `stackgan_tf.train` has shorthands for."""

from collections.abc import Mapping, Sequence

from stackgan_tf.system.errors import UserError

# By the name of the flag.
KNOBS = {'images': 'IMAGE_ROOT', 'steps': 'STEPS', 'batch_size': 'BATCH_SIZE', 'seed': 'SEED'}


def knob_settings(params: Sequence[str], flags: Mapping[str, object]) -> list[str]:
    """Settings of recipes, from `--gin_param` and from the shorthands that are given.

    Args:
        params: the values of `--gin_param`.
        flags: the values of the shorthands by flag, None where they are not given.

    Raises:
        UserError: a knob is given in both ways, with different values.
    """
    given = {KNOBS[flag]: (flag, value) for flag, value in flags.items() if value is not None}
    for param in params:
        name, _, text = (part.strip() for part in param.partition('='))
        if name not in given:
            continue
        flag, value = given[name]
        if text != repr(value) and text.strip('"') != value:
            raise UserError(f'--{flag}={value} and --gin_param="{param}" differ: give one of them')
    return [*params, *(f'{name} = {value!r}' for name, (_, value) in given.items())]
