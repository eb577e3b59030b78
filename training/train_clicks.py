"""Train the click network with simulated people; resumable, on a CPU.

    python -m training.train_clicks --cache CACHE --models var/models --out DIR [--steps 1500]
        [--heads onnx_models/heads] [--seed 0]

Two groups of people take turns: while the network learns from one group's newest clicks, the other
group sees its answers, composed as the product does, and clicks where they are most wrong. Each
click is decoded by SAM on the spot, so the network learns from the very masks it leads to.
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from segmentation.clicks.features import Scope, covered, covered_features, disc
from segmentation.walls.heads import HEADS_DIRECTORY
from segmentation.walls.tokens import tokens_on_features
from training.click_net import ClickNet
from training.rooms import house_is_held_back
from training.running import Running
from training.simulated_user import ClickSample, Visit, Visitors
from training.wall_net import blend, cosine
from training.wishes import Wish

Float32 = npt.NDArray[np.float32]
Target = tuple[torch.Tensor, torch.Tensor]
Inputs = tuple[torch.Tensor, torch.Tensor, torch.Tensor]

_GROUP: Final = 8
_DECAY: Final = 0.995
_LEAVES: Final = 0.1  # chance that somebody leaves before they are content
_NEAR: Final = 3.0  # further weight close to clicks
_FIXED: Final = 2.0  # further weight on what the newest click should put right
_LOUDNESS: Final = 0.5  # deviation of what channels of features are multiplied by
_MOVED: Final = 0.3  # deviation of what is added to them, as a share of their own
_SILENT: Final = 0.2  # share of them that keep their mean
_UNSEEN: Final = 0.15  # chance that all of them do
_CHECKED_CLICKS: Final = (1, 2, 3, 5)


class Group:
    """People who click at the same time; who leaves makes room for another."""

    def __init__(self, samples: list[ClickSample], visitors: Visitors, seed: list[int]) -> None:
        self._samples, self._visitors = samples, visitors
        self._rng = np.random.default_rng(seed)
        self.visits = [self._newcomer() for _ in range(_GROUP)]

    def _newcomer(self) -> Visit:
        while True:
            sample = self._samples[int(self._rng.integers(len(self._samples)))]
            visit = self._visitors.arrive(sample, self._rng)
            if self._visitors.click(visit, self._rng):
                return visit

    def inputs(self) -> list[Inputs]:
        """Maps, embedding and tokens of everybody's newest click."""
        return [inputs_of(visit, self._visitors) for visit in self.visits]

    def turn(self, answers: list[Float32]) -> list[Inputs]:
        """Everybody sees their answer and clicks again, or leaves; the next inputs."""
        for k, (visit, answer) in enumerate(zip(self.visits, answers, strict=True)):
            visit.show(answer)
            if self._rng.random() < _LEAVES or not self._visitors.click(visit, self._rng):
                self.visits[k] = self._newcomer()
        return self.inputs()


def inputs_of(visit: Visit, visitors: Visitors) -> Inputs:
    """The network's maps 1 x 32 x H x W, embedding 1 x 256 x H/4 x W/4 and tokens, where the photo is."""
    embedding = visit.sample.embedding
    features = covered_features(embedding.features, embedding.grid).copy()
    tokens = tokens_on_features(embedding.tokens, embedding.grid)[None]
    maps = visitors.maps(visit)[None]
    return torch.from_numpy(maps), torch.from_numpy(features), torch.from_numpy(tokens)


def target_of(visit: Visit) -> Target:
    """Share of wanted wall and weight of every cell, 1 x 1 x H x W each."""
    rows, columns = visit.sample.extent
    expected, unknown = visit.expected
    wall = np.where(visit.sample.is_wall, visit.sample.share, 255)
    share = np.where(expected, wall, 0)
    weight = np.zeros(share.shape, np.float32)
    weight[:rows, :columns] = 1
    for click in visit.evidence:
        weight[:rows, :columns] += _NEAR * disc(click.x, click.y, (rows, columns))
    if visit.fixed is not None:
        weight += _FIXED * visit.fixed * (weight > 0)
    weight[unknown] = 0
    here = (None, None, *(slice(side) for side in covered(visit.sample.embedding.grid)))
    return torch.from_numpy(share.astype(np.float32)[here] / 255), torch.from_numpy(weight[here])


def click_loss(logit: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Weighted cross entropy plus Dice; cells of no weight count in neither."""
    entropy = F.binary_cross_entropy_with_logits(logit, truth, weight=weight, reduction="sum")
    inside = (weight > 0).float()
    p, truth = torch.sigmoid(logit) * inside, truth * inside
    both = (p * truth).sum((1, 2, 3))
    dice = 1 - (2 * both + 1) / (p.sum((1, 2, 3)) + truth.sum((1, 2, 3)) + 1)
    return entropy / weight.sum() + dice.mean()


def start(samples: list[ClickSample], seed: int) -> Running[ClickNet]:
    """A fresh network that knows the mean and deviation of SAM's features."""
    torch.manual_seed(seed)
    net = ClickNet().to(memory_format=torch.channels_last)
    some = np.stack([sample.embedding.features[0] for sample in samples[:64]])
    net.mean[:] = torch.from_numpy(some.mean((0, 2, 3))).view(1, -1, 1, 1)
    net.deviation[:] = torch.from_numpy(some.std((0, 2, 3)) + 1e-3).view(1, -1, 1, 1)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    return Running(net, optimiser, {k: v.detach().clone() for k, v in net.state_dict().items()})


def train_step(
    running: Running[ClickNet],
    batch: list[tuple[Inputs, Target]],
    rate: float,
) -> tuple[float, list[Float32]]:
    """One step on inputs and targets, photo by photo; the mean loss and the answers, H x W each."""
    net, step = running.net, running.step
    for group in running.optimiser.param_groups:
        group["lr"] = rate * min(1, (step + 1) / 50)
    net.train()
    running.optimiser.zero_grad()
    losses, answers = [], []
    for inputs, target in batch:
        maps, embedding, tokens = (x.contiguous(memory_format=torch.channels_last) for x in inputs)
        embedding = disturbed(embedding, net.mean, net.deviation)
        tokens = disturbed(tokens, tokens.new_zeros(1), tokens.new_ones(1))
        # Half of float32's time on processors that know bfloat16, and no worse.
        with torch.autocast("cpu", torch.bfloat16):
            logit = net(maps, embedding, tokens)
        loss = click_loss(logit.float(), *target) / len(batch)
        loss.backward()
        losses.append(float(loss.detach()))
        answers.append(logit.detach().float()[0, 0].contiguous().numpy())
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    running.optimiser.step()
    blend(running.average, net, min(_DECAY, (1 + step) / (10 + step)))
    running.step += 1
    return sum(losses), answers


def disturbed(features: torch.Tensor, mean: torch.Tensor, deviation: torch.Tensor) -> torch.Tensor:
    """Features 1 x C x h x w louder or softer and moved channel by channel, some silent: at their mean.

    Whole channels tell rendered surfaces from real ones; the network shall not lean on any of them.
    """
    channels = (*features.shape[:2], 1, 1)
    about = (features - mean) * (1 + _LOUDNESS * torch.randn(channels))
    moved = about + mean + _MOVED * deviation * torch.randn(channels)
    silent = (torch.rand(channels) < _SILENT) | (torch.rand(1) < _UNSEEN)
    return torch.where(silent, mean, moved)


@torch.no_grad()
def held_back_scores(
    net: ClickNet, samples: list[ClickSample], visitors: Visitors, scope: Scope, *, errs: bool
) -> list[float]:
    """Mean IoU after 1, 2, 3 and 5 clicks of people who want all walls, or one, and never say so."""
    scores: dict[int, list[float]] = {count: [] for count in _CHECKED_CLICKS}
    for number, sample in enumerate(samples):
        rng = np.random.default_rng([number, 5])
        visit = visitors.arrive(sample, rng, errs=errs, has_whims=False)
        visit.logits, visit.said, visit.meant = None, Scope.AUTO, None
        visit.wish = Wish(walls_of(sample, scope))
        clicking = True
        for count in range(1, max(_CHECKED_CLICKS) + 1):
            clicking = clicking and visitors.click(visit, rng)
            if clicking:
                visit.show(net(*inputs_of(visit, visitors))[0, 0].numpy())
            if count in scores:
                scores[count].append(iou(visit.mask, visit.wish.walls, sample.extent))
    return [round(float(np.mean(some)), 4) for some in scores.values()]


def walls_of(sample: ClickSample, scope: Scope) -> npt.NDArray[np.bool_]:
    """All walls, or the largest plane."""
    if scope is Scope.ALL_WALLS:
        return sample.is_wall
    numbers, sizes = np.unique(sample.planes[sample.is_wall], return_counts=True)
    return np.asarray(sample.is_wall & (sample.planes == numbers[np.argmax(sizes)]))


def iou(
    found: npt.NDArray[np.bool_], true: npt.NDArray[np.bool_], extent: tuple[int, int]
) -> float:
    """Intersection over union inside the photo."""
    rows, columns = extent
    a, b = found[:rows, :columns], true[:rows, :columns]
    return float((a & b).sum() / max(1, (a | b).sum()))


def measured(
    running: Running[ClickNet], check: list[ClickSample], visitors: Visitors
) -> dict[str, list[float]]:
    """The averaged network's scores on the held-back samples."""
    steady = ClickNet()
    steady.load_state_dict(running.average)
    steady.eval()
    return {
        f"held_back_{name}{'_errs' if errs else ''}": held_back_scores(
            steady, check, visitors, scope, errs=errs
        )
        for name, scope in (("all", Scope.ALL_WALLS), ("one", Scope.THIS_WALL))
        for errs in (False, True)
    }


def load_split(cache: Path, most_checked: int) -> tuple[list[ClickSample], list[ClickSample]]:
    """Samples to train on, and unaugmented ones of rooms that are held back."""
    paths = sorted(cache.glob("*_?.npz"))
    held = [path for path in paths if house_is_held_back(path.name.split("_")[0])]
    train = [ClickSample.load(path) for path in paths if path not in set(held)]
    plain = [path for path in held if path.stem.endswith("_o")][:most_checked]
    return train, [ClickSample.load(path) for path in plain]


def learn(
    running: Running[ClickNet],
    groups: list[Group],
    options: argparse.Namespace,
    check: tuple[list[ClickSample], Visitors],
) -> None:
    """All steps, with a line of the log every 25 and a measure and checkpoint every 300."""
    since = time.monotonic()
    log_path = options.out / "clicks.jsonl"
    with ThreadPoolExecutor(1) as pool, log_path.open("a", encoding="utf-8") as log:
        waiting = [pool.submit(group.inputs) for group in groups]
        losses: list[float] = []
        while running.step < options.steps:
            k = running.step % len(groups)
            inputs = waiting[k].result()
            batch = list(zip(inputs, map(target_of, groups[k].visits), strict=True))
            rate = options.rate * cosine(running.step, options.steps)
            loss, answers = train_step(running, batch, rate)
            waiting[k] = pool.submit(groups[k].turn, answers)
            losses.append(loss)
            done = running.step == options.steps
            row: dict[str, Any] = {"step": running.step}
            if running.step % 300 == 0 or done:
                row |= measured(running, *check)
                running.save(options.out / "clicks.checkpoint.pt")
                for name in ("click_net.pt", f"click_net.{running.step}.pt"):
                    torch.save(running.average, options.out / name)
            if running.step % 25 == 0 or done:
                row |= {"loss": round(float(np.mean(losses)), 4)}
                row["seconds"] = round(time.monotonic() - since, 1)
                losses.clear()
                log.write(json.dumps(row) + "\n")
                log.flush()
                print(row, flush=True)


def main() -> None:
    """Train, log, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--heads", type=Path, default=HEADS_DIRECTORY)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--rate", type=float, default=2e-3, help="learning rate at the start")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--most-checked", type=int, default=40)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    train, check = load_split(options.cache, options.most_checked)
    visitors = Visitors(options.models, options.heads)
    running = start(train, options.seed)
    running.resume(options.out / "clicks.checkpoint.pt")
    print(f"{len(train)} samples, {len(check)} held back, from step {running.step}", flush=True)
    groups = [Group(train, visitors, [options.seed, running.step, number]) for number in range(2)]
    learn(running, groups, options, (check, visitors))


if __name__ == "__main__":
    main()
