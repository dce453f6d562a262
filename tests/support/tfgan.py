"""TF-GAN's metrics as an oracle. Its top package cannot be imported on this TensorFlow, which has no estimator."""

import functools
import importlib
import importlib.util
import sys
import types

PACKAGES = ('tensorflow_gan', 'tensorflow_gan.python')


@functools.cache
def classifier_metrics():
    """`tensorflow_gan.python.eval.classifier_metrics`, loaded past the two packages above it."""
    (folder,) = importlib.util.find_spec('tensorflow_gan').submodule_search_locations
    for name in PACKAGES:
        package = types.ModuleType(name)
        package.__path__ = ['/'.join([folder, *name.split('.')[1:]])]
        sys.modules[name] = package
    return importlib.import_module('tensorflow_gan.python.eval.classifier_metrics')
