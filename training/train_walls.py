"""Train the wall network on rendered rooms; resumable, on a CPU.

    python -m training.train_walls --rooms DIR [DIR ...] --out DIR [--steps 1500] [--seed 0]
        [--share 1.0] [--keep-for-clicks 5060-5090 5260-5290]

Writes `checkpoint.pt` every 100 steps (a second call goes on from it), `log.jsonl`, and at the end
`wall_net.pt` with the averaged weights. A room in eight is held back by its number (`rooms.py`) and
measured every 200 steps. --share trains on the first part of the rooms: the learning curve. --keep-for-clicks
leaves rooms out by their numbers (the end excluded), for `prepare_clicks.py`.
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
import torch
import torch.nn.functional as F

from segmentation.click_maps import PLANE_BIAS
from segmentation.scene import STRIDE, scene_input
from training.augment import augment, cut_pieces
from training.rooms import WALL, Room, Uint8, is_held_back, is_in, load_folders
from training.running import Running
from training.wall_net import WallNet, blend, cosine, standardise

# One area for all, so that a step always costs the same.
SHAPES: Final = ((384, 512), (384, 512), (512, 384), (448, 448))
_BATCH: Final = 8
_PAIRS: Final = 160
_DECAY: Final = 0.995


def start(seed: int) -> Running[WallNet]:
    """A fresh network; the pretrained part learns eight times slower."""
    torch.manual_seed(seed)
    net = WallNet().to(memory_format=torch.channels_last)
    old = [weight for pretrained, weight in net.groups() if pretrained]
    new = [weight for pretrained, weight in net.groups() if not pretrained]
    optimiser = torch.optim.AdamW(
        [{"params": old, "top": 2.5e-4}, {"params": new, "top": 2e-3}], lr=1e-3, weight_decay=0.02
    )
    return Running(net, optimiser, {k: v.detach().clone() for k, v in net.state_dict().items()})


def make_batch(
    rooms: list[Room], pieces: list[tuple[Uint8, Uint8]], seed: int, step: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Batch `step` of training `seed`: the same numbers whenever it is asked for."""
    rng = np.random.default_rng([seed, step])
    shape = SHAPES[int(rng.integers(len(SHAPES)))]
    chosen = rng.permutation(len(rooms))[:_BATCH]
    samples = [augment(rooms[int(k)], pieces, shape, rng) for k in chosen]
    photos, labels, planes = (np.stack(part) for part in zip(*samples, strict=True))
    return torch.from_numpy(photos), torch.from_numpy(labels), torch.from_numpy(planes)


def wall_loss(logit: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Cross entropy plus Dice against the share of wall in each cell."""
    p = torch.sigmoid(logit)
    dice = 1 - (2 * (p * share).sum((1, 2, 3)) + 1) / (p.sum((1, 2, 3)) + share.sum((1, 2, 3)) + 1)
    return F.binary_cross_entropy_with_logits(logit, share) + dice.mean()


def plane_loss(vectors: torch.Tensor, planes: torch.Tensor) -> torch.Tensor:
    """Random pairs of wall cells: near when on one plane, apart when not (logistic on distance)."""
    losses = []
    for vector, plane in zip(vectors, planes, strict=True):
        cells = torch.nonzero(plane.flatten()).flatten()
        if len(cells) < 16:
            continue
        some = cells[torch.randint(len(cells), (_PAIRS,))]
        v, n = vector.flatten(1)[:, some].T, plane.flatten()[some]
        logit = PLANE_BIAS - ((v[:, None] - v[None]) ** 2).sum(2)
        same = (n[:, None] == n[None]).float()
        weight = torch.where(same > 0, 0.5 / same.mean(), 0.5 / (1 - same.mean()).clamp(min=0.05))
        losses.append(F.binary_cross_entropy_with_logits(logit, same, weight=weight))
    return torch.stack(losses).mean() if losses else vectors.sum() * 0


def train_step(
    running: Running[WallNet], batch: tuple[torch.Tensor, ...], steps: int
) -> dict[str, float]:
    """One step; returns the parts of the loss."""
    photos, labels, planes = batch
    turn = cosine(running.step, steps) * min(1, (running.step + 1) / 50)
    for group in running.optimiser.param_groups:
        group["lr"] = group["top"] * turn
    wall, classes, vectors = running.net(standardise(photos))
    small = slice(STRIDE // 2, None, STRIDE)
    share = F.avg_pool2d((labels == WALL).float()[:, None], STRIDE)
    parts = {
        "wall": wall_loss(wall, share),
        "classes": F.cross_entropy(classes, labels[:, small, small].long()),
        "planes": plane_loss(vectors, planes[:, small, small].long()),
    }
    loss = parts["wall"] + 0.4 * parts["classes"] + 0.15 * parts["planes"]
    running.optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(running.net.parameters(), 2.0)
    running.optimiser.step()
    decay = min(_DECAY, (1 + running.step) / (10 + running.step))
    blend(running.average, running.net, decay)
    running.step += 1
    return {name: float(value.detach()) for name, value in parts.items()}


@torch.no_grad()
def wall_iou(net: WallNet, rooms: list[Room]) -> float:
    """Mean IoU of wall on whole photos, at the photo's size."""
    scores = []
    for room in rooms:
        found = wall_logit(net, room.photo) > 0
        true = room.labels == WALL
        scores.append((found & true).sum() / max(1, (found | true).sum()))
    return float(np.mean(scores))


def wall_logit(net: WallNet, photo: Uint8) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Wall logit float32 H x W of a photo uint8 H x W x 3 RGB, read as the product reads it."""
    height, width = photo.shape[:2]
    picture, (rows, columns) = scene_input(photo)
    logit = net(torch.from_numpy(picture).contiguous(memory_format=torch.channels_last))[0][0, 0]
    inside = logit.numpy()[:rows, :columns]
    return cv2.resize(inside, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)


def main() -> None:
    """Train, log, hold back, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", type=Path, required=True, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--keep-for-clicks", nargs="*", default=[], metavar="FIRST-END")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    rooms = load_folders(options.rooms)
    held = [room for room in rooms if is_held_back(room)]
    rooms = [r for r in rooms if not is_held_back(r) and not is_in(r, options.keep_for_clicks)]
    rooms = rooms[: max(_BATCH, round(len(rooms) * options.share))]
    pieces = cut_pieces(rooms)
    running = start(options.seed)
    checkpoint = options.out / "checkpoint.pt"
    running.resume(checkpoint)
    print(f"{len(rooms)} rooms, {len(held)} held back, {len(pieces)} pieces, from {running.step}")
    with ThreadPoolExecutor(1) as pool, (options.out / "log.jsonl").open("a") as log:
        ahead = pool.submit(make_batch, rooms, pieces, options.seed, running.step)
        since = time.monotonic()
        while running.step < options.steps:
            batch = ahead.result()
            ahead = pool.submit(make_batch, rooms, pieces, options.seed, running.step + 1)
            running.net.train()
            parts = train_step(running, batch, options.steps)
            if running.step % 20 == 0:
                row = {"step": running.step, **{k: round(v, 4) for k, v in parts.items()}}
                row["seconds"] = round(time.monotonic() - since, 1)
                if running.step % 200 == 0 or running.step == options.steps:
                    row["held_back_iou"] = round(wall_iou(averaged(running), held), 4)
                log.write(json.dumps(row) + "\n")
                log.flush()
                print(row, flush=True)
            if running.step % 100 == 0:
                running.save(checkpoint)
    running.save(checkpoint)
    torch.save(averaged(running).state_dict(), options.out / "wall_net.pt")


def averaged(running: Running[WallNet]) -> WallNet:
    """The network with the average of its late weights (Polyak 1992): steadier than the last."""
    net = WallNet(pretrained=False).to(memory_format=torch.channels_last)
    net.load_state_dict(running.average)
    return net.eval()


if __name__ == "__main__":
    main()
