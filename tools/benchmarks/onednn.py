"""`onednn`: a recipe's training step with oneDNN's CPU kernels and with TensorFlow's own, alternating."""

import dataclasses
import os
import statistics

from benchmarks.forms import Request, measure_in_process
from stackgan_tf.system.onednn import VARIABLE

_REPEATS = 5  # measured steps of each process
_SETTINGS = {'off': '0', 'on': '1'}


def compare_onednn(request: Request, rounds: int) -> None:
    """Prints the median ratio of images per second, and its range; a process has one setting, so each measures one."""
    before = os.environ.get(VARIABLE)
    rows: dict[str, list[dict]] = {name: [] for name in _SETTINGS}
    try:
        for _ in range(rounds):
            for name, setting in _SETTINGS.items():
                os.environ[VARIABLE] = setting
                rows[name] += measure_in_process(dataclasses.replace(request, repeats=_REPEATS))
    finally:
        os.environ.pop(VARIABLE)
        if before is not None:
            os.environ[VARIABLE] = before
    speeds = {name: [row['images_per_second'] for row in of_setting] for name, of_setting in rows.items()}
    peaks = {name: max(row['peak_gflops'] for row in of_setting) for name, of_setting in rows.items()}
    ratios = [on / off for off, on in zip(speeds['off'], speeds['on'], strict=True)]
    print(
        f'onednn {request.recipe}: batch {rows["on"][0]["batch"]}, '
        f'off {statistics.median(speeds["off"]):.2f} images/s (peak {peaks["off"]:.0f} GFLOP/s), '
        f'on {statistics.median(speeds["on"]):.2f} images/s (peak {peaks["on"]:.0f} GFLOP/s), '
        f'{statistics.median(ratios):.2f} times ({min(ratios):.2f} to {max(ratios):.2f})'
    )
