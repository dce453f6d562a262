"""Packaging of `stackgan_tf`: metadata, dependencies with tested bounds, recipes as package data."""

from pathlib import Path

from setuptools import find_packages, setup

# Each bound is tested: an upper bound excludes the next release, which has not been run; a lower bound is the version
# that `make test-lowest` installs. tests/test_packaging.py compares constraints.txt and constraints-lowest.txt to them.
RUNTIME = [
    'absl-py>=2.1,<3',
    'gin-config==0.5.0',
    'grpcio>=1.60,<2',
    'importlib_resources>=6,<8',  # tensorflow-datasets imports it without requiring it
    'keras>=3.12,<3.16',
    'lmdb>=1.4.1,<4',
    'numpy>=1.26,<3',
    'pillow>=10.1,<13',
    'pyarrow>=15.0.2,<27',  # tables in Parquet; tensorflow-datasets requires it too
    'scikit-learn>=1.5,<2',
    'scipy>=1.11.1,<2',
    'setuptools>=77.0.1,<82',  # tensorflow-hub imports pkg_resources
    'tensorboard>=2.20,<2.22',  # TensorFlow no longer requires it
    'tensorflow>=2.20,<2.22',
    'tensorflow-datasets>=4.9.10,<4.10',
    'tensorflow-hub==0.16.1',
    'tensorflow-serving-api>=2.20,<2.22',
    'tf-keras>=2.20.1,<2.22',  # tensorflow-hub's Keras
    'tqdm>=4.60,<5',
    'typeguard>=4.3,<5',
]
FIGURES = ['matplotlib>=3.8,<3.12']  # the curves of a training's history
TEST = [
    *FIGURES,
    'build>=1.2',
    'dill',
    'hypothesis>=6.100,<7',  # damaged files for the parsers
    'jax>=0.5',  # networks run on every Keras backend
    'pytest>=8',
    'pytest-xdist>=3',
    'pyyaml>=6',
    'tensorflow-gan==2.1.0',  # the reference for metrics
    'tensorflow-probability>=0.25,<0.26',
]
CLIP = ['keras-hub>=0.32,<0.33']
LINT = ['mypy>=1.11', 'ruff>=0.6']
DEV = TEST + LINT + CLIP

HERE = Path(__file__).parent
RECIPES = [
    'stackgan_tf.gin',
    *(f'stackgan_tf.gin.{name}' for name in ('ablations', 'base', 'evaluation', 'presets', 'text')),
]
BUILDERS = sorted(HERE.glob('stackgan_tf/data/**/*_dataset_builder.py'))
DATA_SETS = ['.'.join(path.parent.relative_to(HERE).parts) for path in BUILDERS]

setup(
    name='stackgan-tf',
    version='0.1.0',
    description='StackGAN-v1 and StackGAN-v2 (StackGAN++) for TensorFlow 2 and Keras 3',
    long_description=(HERE / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.11,<3.14',
    # Recipes are in gin/ at the top of the source tree, and inside the package once installed: site-packages/gin is
    # gin-config itself.
    packages=[*find_packages(include=['stackgan_tf', 'stackgan_tf.*']), *RECIPES],
    package_dir={'stackgan_tf.gin': 'gin'},
    package_data={
        'stackgan_tf': ['py.typed', 'presets/*/*'],
        'stackgan_tf.human_study': ['page.html'],
        'stackgan_tf.saved_models': ['templates/*'],
        **{folder: ['*.gin'] for folder in RECIPES},
        **{name: ['README.md', 'CITATIONS.bib', 'checksums.tsv'] for name in DATA_SETS},
    },
    install_requires=RUNTIME,
    extras_require={
        'gpu': ['tensorflow[and-cuda]'],
        'figures': FIGURES,
        'clip': CLIP,
        'test': TEST,
        'lint': LINT,
        'dev': DEV,
    },
    classifiers=[
        'Operating System :: POSIX :: Linux',
        'License :: OSI Approved :: Apache Software License',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Programming Language :: Python :: 3.13',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
)
