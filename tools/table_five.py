"""Table 5 of StackGAN++ in miniature: the full model and its ablations on painted birds, over several seeds.

Everything goes through the public commands, in processes of their own; what is finished is not done again. All rows of
a seed are told by one text encoder.
"""

import dataclasses
import json
import signal
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from stackgan_tf.recipe.recipe import read_recipe
from stackgan_tf.system.atomic_files import read_back, write_json, write_whole
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError

JUDGE = 'gin/evaluation/painted_birds.gin'
ENCODER = 'gin/quickstart.gin'  # whose phases before the tree every row shares
REFERENCE = 'painted_birds/76px'


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        name: as in the paper.
        recipe: that trains it.
        paper: the paper's Inception score on CUB at 256 pixels, where it is known for certain.
    """

    name: str
    recipe: str
    paper: float | None = None


ROWS = (
    Row('StackGAN-v2', 'gin/quickstart.gin', 4.04),
    Row('no-JCU', 'gin/ablations/painted_birds_without_jcu.gin', 3.77),
    Row('no-JCU, weights as released', 'gin/ablations/painted_birds_without_jcu_released.gin'),
    Row('G3', 'gin/ablations/painted_birds_g3.gin', 3.49),
    Row('3G3', 'gin/ablations/painted_birds_3g3.gin'),
    Row('all64', 'gin/ablations/painted_birds_all64.gin', 2.89),
)
# A column's heading by the name of the metric in reports; how many digits; whether more is better.
COLUMNS = {'caption_consistency': ('caption consistency', 3, True), 'fid': ('FID', 2, False)}
Scores = dict[str, list[dict[str, float]]]  # of each row, for each seed, by metric


@dataclasses.dataclass(frozen=True)
class Experiment:
    """What is run.

    Attributes:
        folder: of all runs, scores and the table.
        seeds: how many; they are 0, 1, ...
        settings: for all runs alike, in gin's language: the budget, for example `STEPS = 2000`.
        count: how many captions are drawn for a score.
        classifier: the run of a judge; none: it is trained too.
    """

    folder: Path
    seeds: int
    settings: Sequence[str]
    count: int
    classifier: str | None = None

    def reproduce(self) -> str:
        """Trains and scores what is not yet there, and gives the table.

        Raises:
            UserError: a command fails, or the folder holds another experiment.
        """
        self._claim_folder()
        classifier = self.classifier or str(self.folder / 'judge')
        if self.classifier is None:
            command('train', f'--gin_file={JUDGE}', f'--workdir={classifier}')  # a finished one says so
        told = [f'--classifier={classifier}', f'--reference={REFERENCE}', f'--count={self.count}']
        # Seed by seed, so that rows can be compared before everything is done.
        for seed in range(self.seeds):
            for row in ROWS:
                self._score(row, seed, told)
        text = table({row.name: [read(self.report(row, seed)) for seed in range(self.seeds)] for row in ROWS})
        write_whole(self.folder / 'table_5.md', text.encode())
        return text

    def report(self, row: Row, seed: int) -> Path:
        """Where the scores of one run are."""
        return self.folder / 'scores' / f'{Path(row.recipe).stem}_{seed}.json'

    def _score(self, row: Row, seed: int, told: Sequence[str]) -> None:
        report = self.report(row, seed)
        if report.exists():
            return
        say(f'{row.name}, seed {seed}:')
        run = self.folder / 'runs' / report.stem
        condition_source = (
            'Recipe.phases = [@tree/Phase()]',
            'tree/Phase.text_encoder = @HubEmbeddings',
            f'HubEmbeddings.handle = {str(self._encoder(seed))!r}',
        )
        command('train', f'--gin_file={row.recipe}', f'--workdir={run}', *self._told(seed, *condition_source))
        command('evaluate', f'--model={run}', f'--output={report}', *told)

    def _encoder(self, seed: int) -> Path:
        """The exported text encoder of a seed."""
        run = self.folder / 'encoders' / str(seed)
        exported = (run / 'exported').absolute()
        if not exported.exists():
            phases = self._told(seed, 'Recipe.phases = [@features/Phase(), @encoder/Phase()]')
            command('train', f'--gin_file={ENCODER}', f'--workdir={run}', *phases)
            command('export', f'--model={run}', f'--output={exported}')
        return exported

    def _told(self, seed: int, *settings: str) -> list[str]:
        return [f'--gin_param={setting}' for setting in (*self.settings, f'SEED = {seed}', *settings)]

    def _claim_folder(self) -> None:
        """Scores of another budget or recipe must not stand in the same table; more seeds may come."""
        asked = {'settings': list(self.settings), 'count': self.count, 'classifier': self.classifier}
        asked |= {row.recipe: read_recipe([row.recipe], self.settings).config.splitlines() for row in ROWS}
        saved = self.folder / 'experiment.json'
        if saved.exists():
            with read_back(saved):
                before = json.loads(saved.read_text(encoding='utf-8'))
                changed = [name for name in asked if before[name] != asked[name]]
            if changed and changed[0].endswith('.gin'):
                raise UserError(f'{self.folder} was begun with another {changed[0]}: name another --out')
            if changed:
                was, is_now = before[changed[0]], asked[changed[0]]
                raise UserError(
                    f'{self.folder} was begun with {changed[0]} = {was}, now it is {is_now}: name another --out'
                )
        (self.folder / 'scores').mkdir(parents=True, exist_ok=True)
        write_json(saved, asked)


def read(report: Path) -> dict[str, float]:
    """The values of a report by metric."""
    return {name: score['value'] for name, score in json.loads(report.read_text(encoding='utf-8'))['metrics'].items()}


def table(scores: Scores) -> str:
    """The table, in Markdown: mean and standard deviation over seeds, and the order of the rows."""
    headings = ['model', *(heading for heading, _, _ in COLUMNS.values()), 'paper: Inception score, CUB']
    lines = [f'| {" | ".join(headings)} |', f'|{"---|" * len(headings)}']
    for row in ROWS:
        values = [
            _spread([report[metric] for report in scores[row.name]], digits)
            for metric, (_, digits, _) in COLUMNS.items()
        ]
        lines.append(f'| {" | ".join([row.name, *values, "" if row.paper is None else f"{row.paper:.2f}"])} |')
    seeds = len(next(iter(scores.values())))
    lines += ['', f'Mean and standard deviation of {seeds} seed(s).']
    return '\n'.join([*lines, *(_order(scores, metric) for metric in COLUMNS), ''])


def _spread(values: Sequence[float], digits: int) -> str:
    deviation = f' ± {statistics.stdev(values):.{digits}f}' if len(values) > 1 else ''
    return f'{statistics.mean(values):.{digits}f}{deviation}'


def _order(scores: Scores, metric: str) -> str:
    """Whether the means put the rows whose paper's score is known in the paper's order."""
    heading, _, more_is_better = COLUMNS[metric]
    known = [row for row in ROWS if row.paper is not None]
    means = {row.name: statistics.mean(report[metric] for report in scores[row.name]) for row in known}
    here = sorted(means, key=lambda name: means[name], reverse=more_is_better)
    paper = [row.name for row in sorted(known, key=lambda row: row.paper or 0.0, reverse=True)]
    verdict = "the paper's order" if here == paper else f"not the paper's order ({', '.join(paper)})"
    return f'Best to worst by {heading}: {", ".join(here)}: {verdict}.'


def command(name: str, *flags: str) -> None:
    """Runs a command of the package, and waits for it also when asked to stop: a run then writes its checkpoint.

    Raises:
        UserError: it fails.
    """
    process = subprocess.Popen([sys.executable, '-m', f'stackgan_tf.{name}', *flags])

    def pass_on(number: int, _: FrameType | None) -> None:
        if number != signal.SIGINT:  # Ctrl-C reaches the command too
            process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        status = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if status:
        what = 'was stopped' if status in (-signal.SIGTERM, 130, 143) else f'failed with status {status}'
        raise UserError(f'{name} {what}; the same command goes on from here')
