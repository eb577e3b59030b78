"""Train the click network on prepared samples; resumable, on a CPU.

    python -m training.train_clicks --cache CACHE --walls wall_net.pt --out DIR [--steps 1200]
        [--seed 0]

Half of the time all walls are meant, else one plane; the network is told which only at times. A
step first answers some clicks, then adds those of the pool that the answer got wrong, as a person
would, and learns from the corrected set.
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from segmentation.click_maps import ClickEvidence, Scope, click_maps, disc, plane_affinity
from segmentation.scene import enlarge, features_of, planes_of, wall_of
from training.click_net import ClickNet
from training.prepare_clicks import MASK_STEPS, load_walls, scene_of
from training.wall_net import WallNet, blend, cosine

Float32 = npt.NDArray[np.float32]

_BATCH: Final = 8
_DECAY: Final = 0.99
_TOP: Final = 3e-3
_OTHER_PAINT: Final = 0.12  # mean RGB distance, 0..1, from which planes count as painted apart


@dataclass
class Target:
    """What the simulated person wants of one sample, and the clicks they have made."""

    sample: dict[str, Any]
    wanted: npt.NDArray[np.bool_]
    labels: list[int]  # of every pool point
    scope: Scope
    flip: bool
    noise: tuple[float, float]
    clicks: list[int] = field(default_factory=list)


def load_sample(path: Path, walls: WallNet) -> dict[str, Any]:
    """The arrays of one prepared sample, with the wall network's scene in the photo's place."""
    with np.load(path) as arrays:
        sample = {name: arrays[name] for name in arrays.files}
    sample["scene"] = scene_of(walls, sample.pop("photo")).astype(np.float16)
    return sample


def choose_target(sample: dict[str, Any], rng: np.random.Generator) -> Target:
    """All walls or the plane of one wall point; other paint makes one plane likelier."""
    is_wall = sample["share"] > 127
    planes, points = sample["planes"], sample["points"]
    on = [int(planes[y, x]) if is_wall[y, x] else 0 for x, y in points]
    numbers = sorted(set(on) - {0})
    wanted, scope = is_wall, Scope.ALL_WALLS
    if len(np.unique(planes[is_wall])) > 1 and numbers:
        plane = int(rng.choice(numbers)) if rng.random() < 0.3 else on[0] or numbers[0]
        mine, others = is_wall & (planes == plane), is_wall & (planes != plane)
        apart = 0.0
        if others.any() and mine.any():
            rgb = sample["rgb"].astype(np.float32) / 255
            apart = float(np.abs(rgb[mine].mean(0) - rgb[others].mean(0)).mean())
        if rng.random() < (0.65 if apart > _OTHER_PAINT else 0.35) and mine.sum() > 200:
            wanted, scope = mine, Scope.THIS_WALL
    labels = [int(wanted[y, x]) for x, y in points]
    said = scope if rng.random() < 0.35 else Scope.UNSAID
    noise = (rng.uniform(0.7, 1.3), rng.normal(0, 0.5))
    return Target(sample, wanted, labels, said, bool(rng.random() < 0.5), noise)


def first_clicks(target: Target, rng: np.random.Generator) -> None:
    """None at times, one include most often, else a mixture."""
    inside = [k for k, label in enumerate(target.labels) if label]
    outside = [k for k, label in enumerate(target.labels) if not label]
    dice = rng.random()
    if not inside or (dice < 0.08 and target.scope is not Scope.THIS_WALL):
        return
    target.clicks = inside[:1] if rng.random() < 0.6 else [int(rng.choice(inside))]
    if dice < 0.45:
        return
    more = int(rng.integers(0, 3))
    target.clicks += [int(k) for k in rng.permutation(inside)[:more] if k not in target.clicks]
    target.clicks += [int(k) for k in rng.permutation(outside)[: int(rng.integers(0, 3))]]


def correct(target: Target, answer: npt.NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Add one or two unused pool clicks that the answer got wrong."""
    wrong = [
        k
        for k, (x, y) in enumerate(target.sample["points"])
        if k not in target.clicks and bool(answer[y, x]) != bool(target.labels[k])
    ]
    if wrong:
        target.clicks += [int(k) for k in rng.permutation(wrong)[: int(rng.integers(1, 3))]]


def maps_of(target: Target) -> tuple[Float32, Float32]:
    """The network's inputs for a target: maps 19 x 256 x 256, features 24 x 128 x 128."""
    sample = target.sample
    scene = sample["scene"].astype(np.float32)
    wall = wall_of(scene) * target.noise[0] + target.noise[1]
    clicks = []
    for k in target.clicks:
        x, y = (float(v) for v in sample["points"][k])
        clicks.append(
            ClickEvidence(
                target.labels[k],
                x,
                y,
                plane_affinity(planes_of(scene), x, y),
                enlarge(sample["similar"][k].astype(np.float32) / 127),
                sample["masks"][k].astype(np.float32) / MASK_STEPS,
            )
        )
    sam_wall = sample["sam_wall"].astype(np.float32)
    maps = click_maps(wall, sam_wall, sample["rgb"], clicks, target.scope)
    features = features_of(scene)
    if target.flip:
        maps, features = maps[:, :, ::-1], features[:, :, ::-1]
    return np.ascontiguousarray(maps), np.ascontiguousarray(features)


def near_clicks(target: Target) -> Float32:
    """Weights 256 x 256: 0 off the photo, 1 on it, up to 4 close to the clicks."""
    rows, columns = target.sample["extent"]
    weight = np.zeros((256, 256), np.float32)
    weight[:rows, :columns] = 1
    for k in target.clicks:
        x, y = (float(v) for v in target.sample["points"][k])
        weight[:rows, :columns] += 3 * disc(x, y)[:rows, :columns]
    return weight


def stack(targets: list[Target]) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs of a batch."""
    maps, features = zip(*[maps_of(target) for target in targets], strict=True)
    return torch.from_numpy(np.stack(maps)), torch.from_numpy(np.stack(features))


def click_loss(logit: torch.Tensor, targets: list[Target]) -> torch.Tensor:
    """Weighted cross entropy plus Dice."""
    truth, weight = [], []
    for target in targets:
        share = np.where(target.wanted, np.maximum(target.sample["share"], 128), 0) / 255
        w = near_clicks(target)
        truth.append(np.ascontiguousarray(share[:, ::-1] if target.flip else share))
        weight.append(np.ascontiguousarray(w[:, ::-1] if target.flip else w))
    t = torch.from_numpy(np.stack(truth)).float()[:, None]
    v = torch.from_numpy(np.stack(weight))[:, None]
    entropy = F.binary_cross_entropy_with_logits(logit, t, weight=v, reduction="sum") / v.sum()
    inside = (v > 0).float()
    p = torch.sigmoid(logit) * inside
    dice = 1 - (2 * (p * t).sum((1, 2, 3)) + 1) / (p.sum((1, 2, 3)) + t.sum((1, 2, 3)) + 1)
    return entropy + dice.mean()


@torch.no_grad()
def answers(net: ClickNet, targets: list[Target]) -> list[npt.NDArray[np.bool_]]:
    """The network's masks for the targets' clicks, unflipped."""
    maps, features = stack(targets)
    logit = net(maps, net.prepare(features))[:, 0].numpy() > 0
    return [
        mask[:, ::-1] if target.flip else mask for mask, target in zip(logit, targets, strict=True)
    ]


def held_back_scores(net: ClickNet, samples: list[dict[str, Any]], *, one: bool) -> list[float]:
    """Mean IoU after 1, 2, 3 and 5 clicks, each on a pool point that the last answer got wrong."""
    rng = np.random.default_rng(1)
    targets = []
    for sample in samples:
        is_wall = sample["share"] > 127
        x, y = sample["points"][0]
        wanted = is_wall & (sample["planes"] == sample["planes"][y, x]) if one else is_wall
        labels = [int(wanted[q, p]) for p, q in sample["points"]]
        if labels[0]:
            targets.append(Target(sample, wanted, labels, Scope.UNSAID, False, (1.0, 0.0), [0]))
    scores = []
    for count in range(1, 6):
        masks = [m for k in range(0, len(targets), 8) for m in answers(net, targets[k : k + 8])]
        if count in (1, 2, 3, 5):
            pairs = zip(masks, targets, strict=True)
            scores.append(np.mean([iou(mask, t.wanted, t.sample["extent"]) for mask, t in pairs]))
        for mask, target in zip(masks, targets, strict=True):
            before = len(target.clicks)
            correct(target, mask, rng)
            del target.clicks[before + 1 :]
    return [round(float(score), 4) for score in scores]


def iou(
    found: npt.NDArray[np.bool_], true: npt.NDArray[np.bool_], extent: npt.NDArray[np.int64]
) -> float:
    """Intersection over union inside the photo."""
    rows, columns = extent
    a, b = found[:rows, :columns], true[:rows, :columns]
    return float((a & b).sum() / max(1, (a | b).sum()))


@dataclass
class Running:
    """Everything a resumed training needs."""

    net: ClickNet
    optimiser: torch.optim.Optimizer
    average: dict[str, torch.Tensor]
    step: int = 0

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        state = {"net": self.net.state_dict(), "optimiser": self.optimiser.state_dict()}
        torch.save({**state, "average": self.average, "step": self.step}, path)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint, if there is one."""
        if path.is_file():
            state = torch.load(path, weights_only=True)
            self.net.load_state_dict(state["net"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.average, self.step = state["average"], state["step"]


def start() -> Running:
    """A fresh network."""
    net = ClickNet()
    optimiser = torch.optim.AdamW(net.parameters(), lr=_TOP, weight_decay=0.01)
    return Running(net, optimiser, {k: v.detach().clone() for k, v in net.state_dict().items()})


def train_step(
    running: Running, targets: list[Target], rng: np.random.Generator, steps: int
) -> float:
    """One step: half of the targets are answered and corrected first. Returns the loss."""
    net, step = running.net, running.step
    for group in running.optimiser.param_groups:
        group["lr"] = _TOP * cosine(step, steps) * min(1, (step + 1) / 30)
    asked = [t for t in targets if t.clicks and rng.random() < 0.5]
    if asked:
        net.eval()
        for target, mask in zip(asked, answers(net, asked), strict=True):
            correct(target, mask, rng)
    net.train()
    maps, features = stack(targets)
    features = features * (1 + 0.15 * torch.randn(features.shape[:2])[:, :, None, None])
    loss = click_loss(net(maps, net.prepare(features)), targets)
    running.optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    running.optimiser.step()
    blend(running.average, net, min(_DECAY, (1 + step) / (10 + step)))
    running.step += 1
    return float(loss.detach())


def measured(running: Running, check: list[dict[str, Any]]) -> dict[str, list[float]]:
    """The averaged network's scores on the held-back samples."""
    steady = ClickNet()
    steady.load_state_dict(running.average)
    steady.eval()
    return {
        "held_back_all": held_back_scores(steady, check, one=False),
        "held_back_one": held_back_scores(steady, check, one=True),
    }


def load_split(cache: Path, walls: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Samples to train on, and those of about six rooms that are held back."""
    paths = sorted(cache.glob("*_?.npz"))
    house_of = {path: path.name.split("_")[0] for path in paths}
    houses = sorted(set(house_of.values()))
    held = set(houses[:: max(2, len(houses) // 6)])
    net = load_walls(walls)
    train, check = [], []
    for path in paths:
        (check if house_of[path] in held else train).append(load_sample(path, net))
    return train, check


def main() -> None:
    """Train, log, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--walls", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    train, check = load_split(options.cache, options.walls)
    checkpoint = options.out / "clicks.checkpoint.pt"
    running = start()
    running.resume(checkpoint)
    print(f"{len(train)} samples, {len(check)} held back, from step {running.step}", flush=True)
    since = time.monotonic()
    with ThreadPoolExecutor(1) as pool, (options.out / "clicks.jsonl").open("a") as log:
        ahead = pool.submit(draw, train, options.seed, running.step)
        while running.step < options.steps:
            targets, rng = ahead.result()
            ahead = pool.submit(draw, train, options.seed, running.step + 1)
            loss = train_step(running, targets, rng, options.steps)
            row: dict[str, Any] = {"step": running.step, "loss": round(loss, 4)}
            if running.step % 250 == 0 or running.step == options.steps:
                row |= measured(running, check)
                running.save(checkpoint)
            if running.step % 25 == 0:
                row["seconds"] = round(time.monotonic() - since, 1)
                log.write(json.dumps(row) + "\n")
                log.flush()
                print(row, flush=True)
    torch.save(running.average, options.out / "click_net.pt")


def draw(
    samples: list[dict[str, Any]], seed: int, step: int
) -> tuple[list[Target], np.random.Generator]:
    """The targets of step `step` of training `seed`, with their first clicks."""
    rng = np.random.default_rng([seed, step])
    targets = [choose_target(samples[int(k)], rng) for k in rng.integers(len(samples), size=_BATCH)]
    for target in targets:
        first_clicks(target, rng)
    return targets, rng


if __name__ == "__main__":
    main()
