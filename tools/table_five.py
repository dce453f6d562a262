"""Table 5 of StackGAN++ in miniature: the full model and its ablations on painted birds, over several seeds.

Every step is a public command in a separate process; finished steps are skipped. All rows of a seed share one text
encoder.
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

CLASSIFIER = 'gin/evaluation/painted_birds.gin'
ENCODER = 'gin/quickstart.gin'  # every row shares its phases before the tree
REFERENCE = 'painted_birds/76px'


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        name: its name in the paper.
        recipe: the recipe that trains it.
        paper: the paper's Inception score on CUB at 256 pixels, if known for certain.
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
# By the name of a metric in reports: the heading of its column, the number of digits, whether more is better.
COLUMNS = {'caption_consistency': ('caption consistency', 3, True), 'fid': ('FID', 2, False)}
Scores = dict[str, list[dict[str, float]]]  # by row, seed and metric


@dataclasses.dataclass(frozen=True)
class Experiment:
    """The settings of all runs of the table.

    Attributes:
        folder: the folder of all runs, scores and the table.
        seeds: number of seeds, which are 0, 1, ...
        settings: the gin settings of all runs: the budget, for example `STEPS = 2000`.
        count: number of captions per score.
        classifier: the run of an attribute classifier; None: it is trained too.
    """

    folder: Path
    seeds: int
    settings: Sequence[str]
    count: int
    classifier: str | None = None

    def reproduce(self) -> str:
        """Trains and scores the missing runs, and returns the table.

        Raises:
            UserError: a command fails, or the folder holds another experiment.
        """
        self._claim_folder()
        classifier = self.classifier or str(self.folder / 'classifier')
        if self.classifier is None:
            command('train', f'--gin_file={CLASSIFIER}', f'--workdir={classifier}')  # a finished run ends at once
        flags = [f'--classifier={classifier}', f'--reference={REFERENCE}', f'--count={self.count}']
        # Seed by seed, so that rows can be compared before all runs are done.
        for seed in range(self.seeds):
            for row in ROWS:
                self._score(row, seed, flags)
        text = table({row.name: [read(self.report(row, seed)) for seed in range(self.seeds)] for row in ROWS})
        write_whole(self.folder / 'table_5.md', text.encode())
        return text

    def report(self, row: Row, seed: int) -> Path:
        """The file with the scores of one run."""
        return self.folder / 'scores' / f'{Path(row.recipe).stem}_{seed}.json'

    def _score(self, row: Row, seed: int, flags: Sequence[str]) -> None:
        report = self.report(row, seed)
        if report.exists():
            return
        say(f'{row.name}, seed {seed}:')
        run = self.folder / 'runs' / report.stem
        settings = (
            'Recipe.phases = [@tree/Phase()]',
            'tree/Phase.text_encoder = @HubEmbeddings',
            f'HubEmbeddings.handle = {str(self._encoder(seed))!r}',
        )
        command('train', f'--gin_file={row.recipe}', f'--workdir={run}', *self._gin_flags(seed, *settings))
        command('evaluate', f'--model={run}', f'--output={report}', *flags)

    def _encoder(self, seed: int) -> Path:
        """The exported text encoder of a seed."""
        run = self.folder / 'encoders' / str(seed)
        exported = (run / 'exported').absolute()
        if not exported.exists():
            phases = self._gin_flags(seed, 'Recipe.phases = [@features/Phase(), @encoder/Phase()]')
            command('train', f'--gin_file={ENCODER}', f'--workdir={run}', *phases)
            command('export', f'--model={run}', f'--output={exported}')
        return exported

    def _gin_flags(self, seed: int, *settings: str) -> list[str]:
        return [f'--gin_param={setting}' for setting in (*self.settings, f'SEED = {seed}', *settings)]

    def _claim_folder(self) -> None:
        """Refuses a folder with another budget or recipe, whose scores cannot share a table; seeds may be added."""
        current = {'settings': list(self.settings), 'count': self.count, 'classifier': self.classifier}
        current |= {row.recipe: read_recipe([row.recipe], self.settings).config.splitlines() for row in ROWS}
        saved = self.folder / 'experiment.json'
        if saved.exists():
            with read_back(saved):
                before = json.loads(saved.read_text(encoding='utf-8'))
                changed = [name for name in current if before[name] != current[name]]
            if changed and changed[0].endswith('.gin'):
                raise UserError(f'{self.folder} was started with another {changed[0]}: name another --out')
            if changed:
                was, is_now = before[changed[0]], current[changed[0]]
                raise UserError(
                    f'{self.folder} was started with {changed[0]} = {was}, now it is {is_now}: name another --out'
                )
        (self.folder / 'scores').mkdir(parents=True, exist_ok=True)
        write_json(saved, current)


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
    """The order of the rows by their means, and whether it is the order of the paper's known scores."""
    heading, _, more_is_better = COLUMNS[metric]
    known = [row for row in ROWS if row.paper is not None]
    means = {row.name: statistics.mean(report[metric] for report in scores[row.name]) for row in known}
    here = sorted(means, key=lambda name: means[name], reverse=more_is_better)
    paper = [row.name for row in sorted(known, key=lambda row: row.paper or 0.0, reverse=True)]
    verdict = "the paper's order" if here == paper else f"not the paper's order ({', '.join(paper)})"
    return f'Best to worst by {heading}: {", ".join(here)}: {verdict}.'


def command(name: str, *flags: str) -> None:
    """Runs a command of the package, and waits for it also on a signal, on which a run writes its checkpoint.

    Raises:
        UserError: the command fails.
    """
    process = subprocess.Popen([sys.executable, '-m', f'stackgan_tf.{name}', *flags])

    def pass_on(number: int, _: FrameType | None) -> None:
        if number != signal.SIGINT:  # Ctrl-C reaches the command itself
            process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        status = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if status:
        what = 'was stopped' if status in (-signal.SIGTERM, 130, 143) else f'failed with status {status}'
        raise UserError(f'{name} {what}; the same command resumes it')
