"""Paints one bird on its branch. It faces right; random flips in training give birds that face left.

All lengths are fractions of the image's side. The bird, beak and tail included, stays inside the middle 64/76 crop
of every crop, that is between 12/76 and 64/76, so no training crop cuts it.
"""

import math
import random
from typing import NamedTuple

from PIL import Image, ImageDraw

from stackgan_tf.data.painted_birds.species import COLORS, Species

Point = tuple[float, float]

INNERMOST = 12 / 76  # what every 64/76 crop contains begins here ...
OUTERMOST = 64 / 76  # ... and ends here
BACKGROUNDS = {'sky': (150, 200, 240), 'meadow': (150, 190, 100), 'dusk': (178, 150, 196), 'sand': (232, 208, 160)}
FACINGS = ('right', 'left')
# Of an image, in the order of records, what no caption names.
UNNAMED_ATTRIBUTES = ('background', 'facing')
BRANCH = (96, 62, 34)
BEAK = (240, 150, 40)
LEGS = (90, 66, 40)
BEAK_LENGTH = {'short': 0.42, 'long': 0.74}  # in units of the body's half length
_ANTIALIASING = 4  # painted this many times larger, then averaged


class Pose(NamedTuple):
    """The pose of a bird, and everything else in an image that its species does not determine."""

    scale: float  # half length of the body
    center: Point
    tilt: float  # radians, beak up
    branch_slope: float
    branch_width: float
    scene: str  # a key of `BACKGROUNDS`
    background: tuple[int, int, int]  # a shade of its color
    pupil: float  # size of the eye

    def place(self, x: float, y: float) -> Point:
        """Maps bird coordinates (body's half length 1, y down, facing right) to the image."""
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        x, y = x * cos + y * sin, -x * sin + y * cos
        return self.center[0] + self.scale * x, self.center[1] + self.scale * y

    def unnamed(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The numbers of `UNNAMED_ATTRIBUTES`: of the image, then of its mirror image."""
        background = list(BACKGROUNDS).index(self.scene)
        return (background, FACINGS.index('right')), (background, FACINGS.index('left'))


# Outlines in bird coordinates: the body's center is the origin, its half length 1.
_HEAD, _HEAD_RADIUS = (0.80, -0.60), 0.44
_TAIL = ((-0.72, -0.24), (-0.82, 0.16), (-1.46, 0.34), (-1.52, 0.04))
_WING = ((0.34, -0.12), (-0.10, 0.34), (-1.02, 0.22), (-0.62, -0.20))
_BELLY_CENTER, _BELLY_RADII = (0.22, 0.24), (0.56, 0.38)
_LOWEST = 1.06  # where the feet touch the branch


def draw_pose(species: Species, rng: random.Random) -> Pose:
    """Draws a pose that keeps the whole bird inside every crop."""
    scale = rng.uniform(0.172, 0.196)
    tilt = rng.uniform(-0.08, 0.14)
    pose = Pose(
        scale=scale,
        center=(0.0, 0.0),
        tilt=tilt,
        branch_slope=rng.uniform(-0.04, 0.04),
        branch_width=rng.uniform(0.026, 0.036),
        scene=(scene := rng.choice(list(BACKGROUNDS))),
        background=_tinted(BACKGROUNDS[scene], rng),
        pupil=rng.uniform(0.10, 0.13),
    )
    left, top, right, bottom = extent(species, pose)
    center = (
        rng.uniform(INNERMOST - left, OUTERMOST - right),
        rng.uniform(max(INNERMOST - top, 0.44), min(OUTERMOST - bottom, 0.56)),
    )
    return pose._replace(center=center)


def _tinted(color: tuple[int, int, int], rng: random.Random) -> tuple[int, int, int]:
    shade = rng.randint(-12, 12)
    red, green, blue = (min(255, max(0, channel + shade + rng.randint(-5, 5))) for channel in color)
    return red, green, blue


def _beak(species: Species) -> tuple[Point, ...]:
    x, y = _HEAD
    root = x + _HEAD_RADIUS * 0.86
    return (root, y - 0.18), (root, y + 0.20), (root + BEAK_LENGTH[species.beak], y + 0.04)


def extent(species: Species, pose: Pose) -> tuple[float, float, float, float]:
    """The bird's box (left, top, right, bottom), feet included, branch not."""
    corners = [*_beak(species), *_TAIL]
    points = [pose.place(*corner) for corner in corners]
    for (x, y), (rx, ry) in (((0, 0), (1.0, 0.72)), (_HEAD, (_HEAD_RADIUS, _HEAD_RADIUS))):
        points += _ellipse(pose, (x, y), (rx, ry))
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    return min(xs), min(ys), max(xs), max(*ys, pose.center[1] + _LOWEST * pose.scale)


def _ellipse(pose: Pose, center: Point, radii: Point, start: float = 0.0, end: float = 360.0) -> list[Point]:
    """The outline of an ellipse (or a chord of it, degrees clockwise from the beak) as points of the image."""
    steps = 48
    angles = [math.radians(start + (end - start) * i / steps) for i in range(steps + 1)]
    return [pose.place(center[0] + radii[0] * math.cos(a), center[1] + radii[1] * math.sin(a)) for a in angles]


def paint(species: Species, pose: Pose, size: int) -> Image.Image:
    """Paints the image, RGB, `size` x `size` pixels."""
    side = size * _ANTIALIASING
    canvas = Image.new('RGB', (side, side), pose.background)
    draw = ImageDraw.Draw(canvas)

    def fill(points: list[Point], color: tuple[int, int, int]) -> None:
        draw.polygon([(x * side, y * side) for x, y in points], fill=color)

    _paint_branch_and_legs(draw, pose, side)
    fill([pose.place(*p) for p in _TAIL], COLORS[species.wing])
    fill([pose.place(*p) for p in _beak(species)], BEAK)
    fill(_ellipse(pose, (0, 0), (1.0, 0.72)), COLORS[species.body])
    fill(_ellipse(pose, _HEAD, (_HEAD_RADIUS, _HEAD_RADIUS)), COLORS[species.body])
    fill(_ellipse(pose, _HEAD, (_HEAD_RADIUS, _HEAD_RADIUS), 178, 372), COLORS[species.crown])
    fill(_ellipse(pose, _BELLY_CENTER, _BELLY_RADII), COLORS[species.belly])
    fill([pose.place(*p) for p in _WING], COLORS[species.wing])
    eye = (_HEAD[0] + 0.16, _HEAD[1] + 0.10)
    fill(_ellipse(pose, eye, (pose.pupil + 0.06, pose.pupil + 0.06)), (250, 250, 250))
    fill(_ellipse(pose, eye, (pose.pupil, pose.pupil)), (12, 12, 12))
    return canvas.reduce(_ANTIALIASING)


def _paint_branch_and_legs(draw: ImageDraw.ImageDraw, pose: Pose, side: int) -> None:
    feet = pose.center[1] + _LOWEST * pose.scale
    width = pose.branch_width * side

    def branch(x: float) -> float:
        return (feet + (x - pose.center[0]) * pose.branch_slope) * side

    draw.line([(-width, branch(-width / side)), (side + width, branch(1 + width / side))], BRANCH, round(width))
    for x in (-0.16, 0.14):
        foot = pose.center[0] + pose.scale * x
        draw.line([(foot * side, pose.center[1] * side), (foot * side, branch(foot))], LEGS, round(0.012 * side))
