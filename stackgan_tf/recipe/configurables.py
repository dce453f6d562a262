"""The classes that a recipe may name, registered with gin."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import gin
from stackgan_tf.data.embeddings import AttributeVectors, ClipText, HubEmbeddings, LabelVectors, StoredEmbeddings
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.image_folder.image_folder import ImageFolder
from stackgan_tf.data.tfds_images import TfdsImages
from stackgan_tf.evaluation.inception_features import KerasInception, TfganInception
from stackgan_tf.evaluation.saved_features import SavedFeatures
from stackgan_tf.models.attribute_classifier import AttributeClassifier
from stackgan_tf.models.class_classifier import ClassClassifier
from stackgan_tf.models.settings import (
    ColorConsistency,
    Conditioning,
    DiscriminatorInputs,
    Optimization,
    StageDiscriminators,
    TermWeights,
    TreeDiscriminators,
)
from stackgan_tf.models.stackgan_v1 import StageI, StageII
from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.models.text_matching import TextMatching
from stackgan_tf.training.generator_scores import GeneratorScores
from stackgan_tf.training.phase import Phase
from stackgan_tf.training.run import Run

# By the name in recipes; `Recipe` is the run that a recipe describes.
CONFIGURABLES: dict[str, Callable[..., Any]] = {
    'AttributeClassifier': AttributeClassifier,
    'AttributeVectors': AttributeVectors,
    'ClassClassifier': ClassClassifier,
    'ClipText': ClipText,
    'ColorConsistency': ColorConsistency,
    'Conditioning': Conditioning,
    'DiscriminatorInputs': DiscriminatorInputs,
    'GeneratorScores': GeneratorScores,
    'HubEmbeddings': HubEmbeddings,
    'ImageFolder': ImageFolder,
    'KerasInception': KerasInception,
    'LabelVectors': LabelVectors,
    'Optimization': Optimization,
    'Phase': Phase,
    'Recipe': Run,
    'SavedFeatures': SavedFeatures,
    'StoredEmbeddings': StoredEmbeddings,
    'StackGANv2': StackGANv2,
    'StageDiscriminators': StageDiscriminators,
    'StageI': StageI,
    'StageII': StageII,
    'TermWeights': TermWeights,
    'TextMatching': TextMatching,
    'TfdsImages': TfdsImages,
    'TfganInception': TfganInception,
    'TreeDiscriminators': TreeDiscriminators,
}


@functools.cache
def register() -> None:
    """Registers the classes with gin, once per process."""
    for name, configurable in CONFIGURABLES.items():
        gin.external_configurable(configurable, name=name)


def parameter_types(name: str) -> dict[str, Any]:
    """The types of a configurable's parameters, from its constructor's annotations."""
    signature = inspect.signature(CONFIGURABLES[name], eval_str=True)
    return {parameter.name: parameter.annotation for parameter in signature.parameters.values()}


def required_parameters(name: str) -> list[str]:
    """The parameters of a configurable without a default, which the recipe must set."""
    parameters = inspect.signature(CONFIGURABLES[name]).parameters.values()
    required = [parameter for parameter in parameters if parameter.default is parameter.empty]
    return [parameter.name for parameter in required if parameter.annotation is not ExampleSource]
