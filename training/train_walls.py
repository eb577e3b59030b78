"""Train the wall network on rendered rooms; resumable, on a GPU.

    python -m training.train_walls --rooms DIR [DIR ...] --encoder vit_s_focus.onnx --out DIR
        [--steps 5000] [--seed 0] [--rate 1e-4] [--decay 0.8] [--drop 0]
        [--keep-for-clicks 11000-11300 ...]

Writes `checkpoint.pt` every 100 steps (a second call with the same options goes on from it),
`log.jsonl`, and every 500 the averaged weights: `wall_net.500.pt` and so on. Whatever the seed, the
network begins the same, so that the weights of several trainings may be averaged (`export.py`). A
room in eight is held back by its number (`dataset.py`) and measured every 500 steps.
--keep-for-clicks leaves rooms out by their numbers (the end excluded), for `prepare_clicks.py`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

from segmentation.clicks.features import PLANE_BIAS
from segmentation.wall_net_io import wall_net_input
from training.augment import augment, cut_pieces
from training.dataset import WALL, Sample, Uint8, is_held_back, is_in, load_folders
from training.style_augmentation import random_convolution
from training.training_state import TrainingState
from training.vit import published_state
from training.wall_net import WallNet, cosine_schedule, standardise, update_average

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]

SHAPES: Final = ((420, 560), (392, 518), (546, 406), (462, 462))
_CLOSEST: Final = 0.6  # of a photo's sides: windows near the scale at which whole photos are read
_BATCH: Final = 16
_PAIRS: Final = 160
_DECAY: Final = 0.998
_NEW_RATE: Final = 1e-3  # of what is not pretrained
_SAVE_EVERY: Final = 100
_CHECK_EVERY: Final = 500


class Batches(Dataset[Batch]):
    """The batches of a training from a step on: the same numbers whenever they are asked for."""

    def __init__(self, samples: list[Sample], seed: int, steps: range) -> None:
        self._samples, self._seed, self._steps = samples, seed, steps
        self._pieces = cut_pieces(samples)

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, index: int) -> Batch:
        """Photos uint8 16 x h x w x 3, labels and planes uint8 16 x h x w."""
        rng = np.random.default_rng([self._seed, self._steps[index]])
        shape = SHAPES[int(rng.integers(len(SHAPES)))]
        chosen = rng.permutation(len(self._samples))[:_BATCH]
        samples = [
            augment(self._samples[int(k)], self._pieces, shape, rng, closest=_CLOSEST)
            for k in chosen
        ]
        photos, labels, planes = (
            torch.from_numpy(np.stack(part)) for part in zip(*samples, strict=True)
        )
        return photos, labels, planes


def new_training(
    encoder: Path, rate: float, decay: float, drop: float, device: str
) -> TrainingState[WallNet]:
    """DINOv2's encoder with a new decoder; earlier blocks have lower learning rates."""
    torch.manual_seed(0)
    net = WallNet(drop)
    net.load_pretrained(published_state(encoder))
    net = net.to(device)
    groups = [
        {"params": some, "top": top} for top, some in net.parameter_groups(rate, decay, _NEW_RATE)
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.02)
    return TrainingState(
        net, optimiser, {k: v.detach().clone() for k, v in net.state_dict().items()}
    )


def wall_loss(logit: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Cross entropy plus Dice against the share of wall in each cell."""
    p = torch.sigmoid(logit)
    dice = 1 - (2 * (p * share).sum((1, 2, 3)) + 1) / (p.sum((1, 2, 3)) + share.sum((1, 2, 3)) + 1)
    return F.binary_cross_entropy_with_logits(logit, share) + dice.mean()


def plane_loss(vectors: torch.Tensor, planes: torch.Tensor) -> torch.Tensor:
    """Random pairs of wall cells: near when on one plane, apart when not (logistic on distance).

    vectors: B x C x h x w. planes: B x h x w, 0 where nothing is wall.
    """
    numbers = planes.flatten(1)
    some = torch.multinomial((numbers > 0).float() + 1e-7, _PAIRS, replacement=True)
    chosen = some[:, None].expand(-1, vectors.shape[1], -1)
    v, n = vectors.flatten(2).gather(2, chosen).transpose(1, 2), numbers.gather(1, some)
    logit = PLANE_BIAS - ((v[:, :, None] - v[:, None]) ** 2).sum(3)
    walls = (n > 0).float()
    pairs = walls[:, :, None] * walls[:, None]
    same = (n[:, :, None] == n[:, None]).float() * pairs
    share = same.sum((1, 2), keepdim=True) / pairs.sum((1, 2), keepdim=True).clamp(min=1)
    weight = torch.where(same > 0, 0.5 / share.clamp(min=0.01), 0.5 / (1 - share).clamp(min=0.05))
    losses = F.binary_cross_entropy_with_logits(logit, same, reduction="none")
    return (losses * weight * pairs).sum() / pairs.sum().clamp(min=1)


def train_step(state: TrainingState[WallNet], batch: Batch, steps: int) -> dict[str, torch.Tensor]:
    """One step; returns the parts of the loss."""
    device = next(state.net.parameters()).device
    photos, labels, planes = (part.to(device, non_blocking=True) for part in batch)
    turn = cosine_schedule(state.step, steps) * min(1, (state.step + 1) / 100)
    for group in state.optimiser.param_groups:
        group["lr"] = group["top"] * turn
    shown = random_convolution(standardise(photos))
    # Half of float32's time, on CPUs as well where they know bfloat16, and no worse.
    with torch.autocast(device.type, torch.bfloat16):
        outputs = state.net(shown)
    wall, classes, vectors = (output.float() for output in outputs)
    size = wall.shape[2:]
    share = F.adaptive_avg_pool2d((labels == WALL).float()[:, None], size)
    labels, planes = (
        F.interpolate(maps[:, None].float(), size, mode="nearest-exact")[:, 0].long()
        for maps in (labels, planes)
    )
    parts = {
        "wall": wall_loss(wall, share),
        "classes": F.cross_entropy(classes, labels),
        "planes": plane_loss(vectors, planes),
    }
    loss = parts["wall"] + 0.4 * parts["classes"] + 0.15 * parts["planes"]
    state.optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(state.net.parameters(), 2.0)
    state.optimiser.step()
    decay = min(_DECAY, (1 + state.step) / (10 + state.step))
    update_average(state.average, state.net, decay)
    state.step += 1
    return {name: value.detach() for name, value in parts.items()}


@torch.no_grad()
def wall_iou(net: WallNet, samples: list[Sample]) -> float:
    """Mean IoU of wall on whole photos, at the photo's size; not a number when there are none."""
    scores = []
    for sample in samples:
        found = wall_logit(net, sample.photo) > 0
        true = sample.labels == WALL
        scores.append((found & true).sum() / max(1, (found | true).sum()))
    return float(np.mean(scores)) if scores else math.nan


def wall_logit(net: WallNet, photo: Uint8) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Wall logit float32 H x W of a photo uint8 H x W x 3 RGB, read as the product reads it."""
    height, width = photo.shape[:2]
    shown = torch.from_numpy(wall_net_input(photo)).to(next(net.parameters()).device)
    inside = net(shown)[0][0, 0].cpu().numpy()
    return cv2.resize(inside, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)


def main() -> None:
    """Train, log, hold back, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", type=Path, required=True, nargs="+")
    parser.add_argument("--encoder", type=Path, required=True, help="DINOv2's ViT-S/14, ONNX")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=1e-4, help="of the last block")
    parser.add_argument("--decay", type=float, default=0.8, help="of the rate, a block")
    parser.add_argument(
        "--drop", type=float, default=0.0, help="share of photos a block is left out for"
    )
    parser.add_argument("--keep-for-clicks", nargs="*", default=[], metavar="FIRST-END")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 2))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    # Its threads do not live on in the forked workers, which would wait for them.
    cv2.setNumThreads(1)
    samples = load_folders(options.rooms)
    held = [sample for sample in samples if is_held_back(sample)]
    samples = [s for s in samples if not is_held_back(s) and not is_in(s, options.keep_for_clicks)]
    state = new_training(options.encoder, options.rate, options.decay, options.drop, options.device)
    state.resume(options.out / "checkpoint.pt")
    torch.manual_seed(options.seed + state.step)
    print(f"{len(samples)} photos, {len(held)} held back, from step {state.step}")
    batches = Batches(samples, options.seed, range(state.step, options.steps))
    loader = DataLoader(
        batches,
        batch_size=None,
        num_workers=options.workers,
        pin_memory=options.device.startswith("cuda"),
    )
    learn(state, loader, held, options)


def learn(
    state: TrainingState[WallNet],
    batches: DataLoader[Batch],
    held: list[Sample],
    options: argparse.Namespace,
) -> None:
    """All steps, with a line of the log every 50; a checkpoint every 100, a measure every 500."""
    since = time.monotonic()
    with (options.out / "log.jsonl").open("a", encoding="utf-8") as log:
        for batch in batches:
            state.net.train()
            parts = train_step(state, batch, options.steps)
            checked = state.step % _CHECK_EVERY == 0 or state.step == options.steps
            row: dict[str, Any] = {"step": state.step}
            if checked:
                net = averaged(state)
                torch.save(net.state_dict(), options.out / f"wall_net.{state.step}.pt")
                row["held_back_iou"] = round(wall_iou(net.to(options.device), held), 4)
            if state.step % 50 == 0 or checked:
                row |= {name: round(float(value), 4) for name, value in parts.items()}
                row["seconds"] = round(time.monotonic() - since, 1)
                log.write(json.dumps(row) + "\n")
                log.flush()
                print(row, flush=True)
            if state.step % _SAVE_EVERY == 0 or checked:
                state.save(options.out / "checkpoint.pt")


def averaged(state: TrainingState[WallNet]) -> WallNet:
    """The network with the average of its late weights (Polyak 1992): steadier than the last."""
    net = WallNet()
    net.load_state_dict(state.average)
    return net.eval()


if __name__ == "__main__":
    main()
