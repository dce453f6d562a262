"""Builds evaluators from names: feature extractors, references, attribute classifiers."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.tfds_images import TfdsImages
from stackgan_tf.evaluation.attribute_reader import AttributeReader
from stackgan_tf.evaluation.classifier_features import ClassifierFeatures
from stackgan_tf.evaluation.discriminator_features import DiscriminatorFeatures
from stackgan_tf.evaluation.evaluate_model import Measurement, Reference, evaluate_generator, evaluate_images
from stackgan_tf.evaluation.feature_extractor import FeatureExtractor
from stackgan_tf.evaluation.image_sources import FolderImages, ImageSource, SourceImages
from stackgan_tf.evaluation.inception_features import TFGAN_HANDLE, KerasInception, TfganInception
from stackgan_tf.evaluation.saved_features import SavedFeatures
from stackgan_tf.generator import Generator
from stackgan_tf.loading import TrainedClassifier, check_newest, load, load_adversaries, load_phase, load_text_encoder
from stackgan_tf.recipe.recipe import read_run
from stackgan_tf.runs.run_directory import CONFIG
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.whole_numbers import whole_number
from stackgan_tf.text.clip_encoder import ClipEncoder
from stackgan_tf.text.text_encoder import TextEncoder

_MOST_PIXELS = 1 << 14


def load_features(what: str, resize: str = 'clean') -> FeatureExtractor:
    """Loads a feature extractor.

    Args:
        what: `tfgan_inception`, from TF Hub, or `tfgan_inception:FOLDER`, a copy; `keras_inception`, or
            `keras_inception:WEIGHTS_FILE`; `saved_model:SOURCE` or `saved_model:SOURCE@PIXELS`; `classifier:RUN`;
            `discriminator:SOURCE`, of a run or preset, at its largest size.
        resize: a key of `RESIZES`.

    Raises:
        UserError: the feature extractor does not exist.
    """
    kind, _, where = what.partition(':')
    if kind == 'tfgan_inception':
        return TfganInception(where or TFGAN_HANDLE, resize)
    if kind == 'keras_inception':
        return KerasInception(where or 'imagenet', resize)
    if kind == 'saved_model' and where:
        source, _, pixels = where.rpartition('@')
        if source and (size := whole_number(pixels, _MOST_PIXELS)):
            return SavedFeatures(source, size, resize)
        return SavedFeatures(where, resize=resize)
    if kind == 'classifier' and where:
        reader = load_phase(Path(where))
        if isinstance(reader, TrainedClassifier):
            return ClassifierFeatures(reader.network, resize)
        raise UserError(f'{where} trains no classifier: train one of gin/evaluation/')
    if kind == 'discriminator' and where:
        return DiscriminatorFeatures(load_adversaries(where)[1][-1], resize)
    known = 'tfgan_inception[:FOLDER], keras_inception[:FILE], saved_model:SOURCE[@PIXELS], classifier:RUN'
    raise UserError(f'there are no features {what!r}: there are {known}, discriminator:RUN')


def load_reference(what: str, split: str, crop_to_boxes: bool = False) -> ExampleSource:
    """Opens real images as a reference.

    Args:
        what: a run directory, whose last phase's data are cropped as its recipe says, or the name of a data set, as in
            `tfds.load`.
        split: the split of the data set.
        crop_to_boxes: for a data set by name, whether images are cropped around their bounding boxes.

    Raises:
        UserError: the data set does not exist.
    """
    if not (Path(what) / CONFIG).is_file():
        return TfdsImages(what, split, crop_to_boxes=crop_to_boxes)
    return _of_split(read_run(Path(what)).run.phases[-1].data, split, what)


def _of_split(data: Callable[..., ExampleSource], split: str, run: str | Path) -> ExampleSource:
    """A split of the data of a run.

    Raises:
        UserError: the data have no such split.
    """
    try:
        return data(split=split)
    except TypeError as error:
        raise UserError(f'the data of {run} have no splits: name a data set or a folder with --reference') from error


def load_classifier(directory: str | Path) -> AttributeReader:
    """Loads the attribute classifier of a run.

    Args:
        directory: a run whose last phase trains an `AttributeClassifier`.

    Raises:
        UserError: the directory is something else.
    """
    trained = load_phase(Path(directory))
    if not isinstance(trained, TrainedClassifier) or not trained.attributes:
        raise UserError(f'{directory} trains no classifier of attributes: train gin/evaluation/painted_birds.gin')
    return AttributeReader(trained.network, trained.attributes)


def load_test_data(directory: str | Path, split: str) -> ExampleSource:
    """Opens a split of the data that a run tests its last phase on.

    Raises:
        UserError: the run has no test data, or they have no such split.
    """
    test_data = read_run(Path(directory)).run.phases[-1].test_data
    if test_data is None:
        raise UserError(f'{directory} has no test data: name a data set with --reference')
    return _of_split(test_data, split, directory)


@dataclasses.dataclass(frozen=True)
class Evaluator:
    """Measures models against a reference and by a classifier; see `build_evaluator`.

    Attributes:
        count: images that a model generates.
        seed: the seed of every random draw.
        extractor: the feature extractor; None without a reference.
        folder: the reference, if it is a folder of images.
        source: the reference, if it is a data set, else the source of captions.
        random_crops: whether the source is cropped at random.
        small: whether copies of 64 pixels are measured too.
        reader: reads attributes off images.
        encoder: the text encoder for R-precision; None: the model's own, if it reads images of the model's size.
        clip: for CLIP score and R-precision by CLIP; None: not measured.
    """

    count: int
    seed: int
    extractor: FeatureExtractor | None
    folder: FolderImages | None
    source: ExampleSource | None
    random_crops: bool
    small: bool
    reader: AttributeReader | None
    encoder: TextEncoder | None
    clip: ClipEncoder | None = None

    def reference(self, size: int) -> Reference | None:
        """The reference at a size in pixels; None without one."""
        if self.extractor is None:
            return None
        images: ImageSource | None = self.folder
        if images is None and self.source is not None:
            images = SourceImages(self.source, size, self.seed if self.random_crops else None)
        assert images is not None
        return Reference(images, self.extractor, self.seed, self.small)

    def measure(self, model: Generator | FolderImages, reference: Reference | None) -> Measurement:
        """Measures a model, or a folder of generated images.

        Raises:
            UserError: the model cannot be measured this way.
        """
        if isinstance(model, FolderImages):
            if reference is None:
                raise UserError(f'{model.title} can only be measured against a --reference')
            if self.clip is not None:
                raise UserError(f'--clip needs captions, which {model.title} does not have: leave out --clip')
            return evaluate_images(model, reference)
        encoder = self.encoder
        if encoder is None:
            own = getattr(model, 'encoder', None)
            # An encoder that was trained without images, or with larger ones, cannot score these images.
            if own is not None and own.image_size is not None and own.image_size <= model.sizes[-1]:
                encoder = own
        return evaluate_generator(model, self.count, self.seed, reference, self.source, self.reader, encoder, self.clip)


def build_evaluator(
    reference: str | None = None,
    split: str = 'test',
    crop_to_boxes: bool = False,
    random_crops: bool = False,
    classifier: str | None = None,
    features: str | None = None,
    resize: str = 'clean',
    fid_64: bool = False,
    text_encoder: str | None = None,
    clip: str | None = None,
    count: int | None = None,
    seed: int = 0,
) -> Evaluator:
    """Builds an evaluator from the values of the flags.

    Args:
        reference: see `load_reference`; or a folder of images, which are not cropped.
        split: the split of the reference; if that is no data set, of the classifier's test data.
        crop_to_boxes: see `load_reference`.
        random_crops: whether a data set is cropped at random, as in training, and not in the center.
        classifier: see `load_classifier`.
        features: see `load_features`; by default the classifier's, else TF-GAN's Inception.
        resize: see `load_features`.
        fid_64: whether copies of 64 pixels are measured too: FID* of the paper.
        text_encoder: see `load_text_encoder`; by default that of the model.
        clip: see `ClipEncoder`; None: there are no scores by CLIP.
        count: images that a model generates; by default 10,000, without a reference 1,000.
        seed: the seed of every random draw.

    Raises:
        UserError: neither a reference nor a classifier is named, or something cannot be opened.
    """
    if reference is None and classifier is None:
        raise UserError('name what to measure by: --reference=DATA_SET_OR_FOLDER, --classifier=RUN, or both')
    if reference is None and features is not None:
        raise UserError('--features has no effect without --reference: name a reference, or leave it out')
    reader = load_classifier(classifier) if classifier is not None else None
    source, folder = None, None
    if reference is not None and _is_image_folder(reference):
        folder = FolderImages(Path(reference))
    elif reference is not None:
        source = load_reference(reference, split, crop_to_boxes)
    if source is None and classifier is not None:
        source = load_test_data(classifier, split)
    features = features or (f'classifier:{classifier}' if classifier is not None else 'tfgan_inception')
    return Evaluator(
        count=count or (10_000 if reference is not None else 1000),
        seed=seed,
        extractor=load_features(features, resize) if reference is not None else None,
        folder=folder,
        source=source,
        random_crops=random_crops,
        small=fid_64,
        reader=reader,
        encoder=load_text_encoder(text_encoder) if text_encoder is not None else None,
        clip=ClipEncoder(clip, images=True) if clip is not None else None,
    )


def open_model(what: str, checkpoint: str = 'newest') -> Generator | FolderImages:
    """Opens a model (see `loading.load`), or a folder of images.

    Raises:
        UserError: the source is neither, or has no such checkpoint.
    """
    if not _is_image_folder(what):
        return load(what, checkpoint)
    check_newest(what, checkpoint)
    return FolderImages(Path(what))


def _is_image_folder(what: str) -> bool:
    path = Path(what)
    return path.is_dir() and not any((path / name).is_file() for name in (CONFIG, 'saved_model.pb'))
