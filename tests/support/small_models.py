"""Small models: `build` sorts settings into groups, so that a test states only what it is about."""

import dataclasses
import inspect
from collections import defaultdict
from typing import Any

from stackgan_tf.networks.tree_generator import TreeGenerator

# Of a tree, and of the stages.
TREE = {
    'sizes': (8, 16),
    'batch_size': 4,
    'noise_dimension': 8,
    'generator_width': 8,
    'discriminator__width': 4,
    'residual_blocks': 1,
}
STAGE = {'batch_size': 4, 'generator_width': 8, 'discriminator__width': 4, 'discriminator__residual': False}
STAGE_ONE = {**STAGE, 'size': 8, 'noise_dimension': 8, 'residual': False}
STAGE_TWO = {**STAGE, 'size': 16, 'residual_blocks': 1}


def tree_network(**settings: Any) -> TreeGenerator:
    """A built tree of 8 and 16 pixels; with `embedding_dimension` conditional."""
    common = {'sizes': (8, 16), 'noise_dimension': 5, 'generator_width': 8, 'residual_blocks': 1}
    network = TreeGenerator(**{**common, 'condition_dimension': 3, **settings})
    network.build((None, network.noise_dimension))
    return network


def build(model: type, *arguments: Any, **settings: Any) -> Any:
    """Constructs a model.

    Args:
        model: its class.
        arguments: positional ones.
        settings: arguments, or fields of its groups of settings, as `group__field` where several have such a field.
    """
    parameters = inspect.signature(model).parameters
    groups = {name: each.default for name, each in parameters.items() if dataclasses.is_dataclass(each.default)}
    changed: dict[str, dict[str, Any]] = defaultdict(dict)
    for setting in [name for name in settings if name not in parameters]:
        group, _, field = setting.rpartition('__')
        (group,) = [group] if group else [name for name, default in groups.items() if hasattr(default, field)]
        changed[group][field] = settings.pop(setting)
    settings |= {name: dataclasses.replace(groups[name], **fields) for name, fields in changed.items()}
    return model(*arguments, **settings)
