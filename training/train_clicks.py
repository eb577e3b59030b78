"""Train the click network with simulated users; resumable, on a CPU.

    python -m training.train_clicks --cache CACHE --models var/models --out DIR [--steps 1500]
        [--heads onnx_models/heads] [--seed 0]

Two groups of users take turns: while the network learns from one group's newest clicks, the other
group sees its outputs, composed as the product does, and clicks where they are most wrong. Each
click is decoded by SAM at once, so the network learns from the masks that it leads to itself.
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
from training.click_samples import ClickSample
from training.dataset import room_is_held_back
from training.intent import Intent
from training.simulated_user import SimulatedUser, UserSimulator
from training.training_state import TrainingState
from training.wall_net import cosine_schedule, update_average

Float32 = npt.NDArray[np.float32]
Target = tuple[torch.Tensor, torch.Tensor]
Inputs = tuple[torch.Tensor, torch.Tensor, torch.Tensor]

_GROUP: Final = 8
_DECAY: Final = 0.995
_LEAVE_CHANCE: Final = 0.1  # chance that a user leaves before the mask is right
_CLICK_WEIGHT: Final = 3.0  # further weight close to clicks
_ERROR_WEIGHT: Final = 2.0  # further weight on what the newest click should put right
_GAIN_SPREAD: Final = 0.5  # deviation of the factor of a feature channel
_SHIFT_SPREAD: Final = 0.3  # deviation of a channel's shift, as a share of its own deviation
_DROPPED_CHANNELS: Final = 0.2  # share of the channels that are set to their mean
_ALL_DROPPED: Final = 0.15  # chance that all channels are
_CHECKED_CLICKS: Final = (1, 2, 3, 5)


class UserGroup:
    """Users who click at the same time; one who leaves is replaced by another."""

    def __init__(
        self, samples: list[ClickSample], simulator: UserSimulator, seed: list[int]
    ) -> None:
        self._samples, self._simulator = samples, simulator
        self._rng = np.random.default_rng(seed)
        self.users = [self._new_user() for _ in range(_GROUP)]

    def _new_user(self) -> SimulatedUser:
        while True:
            sample = self._samples[int(self._rng.integers(len(self._samples)))]
            user = self._simulator.new_user(sample, self._rng)
            if self._simulator.click(user, self._rng):
                return user

    def inputs(self) -> list[Inputs]:
        """Maps, embedding and tokens of every user's newest click."""
        return [inputs_of(user, self._simulator) for user in self.users]

    def respond(self, outputs: list[Float32]) -> list[Inputs]:
        """Show every user the output, float32 H x W, for a next click; returns the next inputs.

        Some users leave.
        """
        for k, (user, output) in enumerate(zip(self.users, outputs, strict=True)):
            user.show(output)
            if self._rng.random() < _LEAVE_CHANCE or not self._simulator.click(user, self._rng):
                self.users[k] = self._new_user()
        return self.inputs()


def inputs_of(user: SimulatedUser, simulator: UserSimulator) -> Inputs:
    """The network's maps 1 x 32 x H x W, embedding 1 x 256 x H/4 x W/4 and tokens, cut to the
    photo.
    """
    embedding = user.sample.embedding
    features = covered_features(embedding.features, embedding.grid).copy()
    tokens = tokens_on_features(embedding.tokens, embedding.grid)[None]
    maps = simulator.maps(user)[None]
    return torch.from_numpy(maps), torch.from_numpy(features), torch.from_numpy(tokens)


def target_of(user: SimulatedUser) -> Target:
    """Share of wanted wall (0..1) and weight of every cell, float32 1 x 1 x H x W each."""
    rows, columns = user.sample.extent
    expected, unknown = user.expected
    wall = np.where(user.sample.is_wall, user.sample.share, 255)
    share = np.where(expected, wall, 0)
    weight = np.zeros(share.shape, np.float32)
    weight[:rows, :columns] = 1
    for click in user.evidence:
        weight[:rows, :columns] += _CLICK_WEIGHT * disc(click.x, click.y, (rows, columns))
    if user.error_part is not None:
        weight += _ERROR_WEIGHT * user.error_part * (weight > 0)
    weight[unknown] = 0
    here = (None, None, *(slice(side) for side in covered(user.sample.embedding.grid)))
    return torch.from_numpy(share.astype(np.float32)[here] / 255), torch.from_numpy(weight[here])


def click_loss(logit: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Weighted cross entropy plus Dice; cells of weight 0 count in neither."""
    entropy = F.binary_cross_entropy_with_logits(logit, truth, weight=weight, reduction="sum")
    inside = (weight > 0).float()
    p, truth = torch.sigmoid(logit) * inside, truth * inside
    both = (p * truth).sum((1, 2, 3))
    dice = 1 - (2 * both + 1) / (p.sum((1, 2, 3)) + truth.sum((1, 2, 3)) + 1)
    return entropy / weight.sum() + dice.mean()


def new_training(samples: list[ClickSample], seed: int) -> TrainingState[ClickNet]:
    """A new network with the mean and deviation of SAM's features, and its optimiser."""
    torch.manual_seed(seed)
    net = ClickNet().to(memory_format=torch.channels_last)
    some = np.stack([sample.embedding.features[0] for sample in samples[:64]])
    net.mean[:] = torch.from_numpy(some.mean((0, 2, 3))).view(1, -1, 1, 1)
    net.deviation[:] = torch.from_numpy(some.std((0, 2, 3)) + 1e-3).view(1, -1, 1, 1)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    return TrainingState(
        net, optimiser, {k: v.detach().clone() for k, v in net.state_dict().items()}
    )


def train_step(
    state: TrainingState[ClickNet],
    batch: list[tuple[Inputs, Target]],
    rate: float,
) -> tuple[float, list[Float32]]:
    """One step on inputs and targets, photo by photo; the mean loss and the logits, H x W each."""
    net, step = state.net, state.step
    for group in state.optimiser.param_groups:
        group["lr"] = rate * min(1, (step + 1) / 50)
    net.train()
    state.optimiser.zero_grad()
    losses, outputs = [], []
    for inputs, target in batch:
        maps, embedding, tokens = (x.contiguous(memory_format=torch.channels_last) for x in inputs)
        embedding = perturbed(embedding, net.mean, net.deviation)
        tokens = perturbed(tokens, tokens.new_zeros(1), tokens.new_ones(1))
        # Half of float32's time on processors that know bfloat16, and no worse.
        with torch.autocast("cpu", torch.bfloat16):
            logit = net(maps, embedding, tokens)
        loss = click_loss(logit.float(), *target) / len(batch)
        loss.backward()
        losses.append(float(loss.detach()))
        outputs.append(logit.detach().float()[0, 0].contiguous().numpy())
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    state.optimiser.step()
    update_average(state.average, net, min(_DECAY, (1 + step) / (10 + step)))
    state.step += 1
    return sum(losses), outputs


def perturbed(features: torch.Tensor, mean: torch.Tensor, deviation: torch.Tensor) -> torch.Tensor:
    """Features 1 x C x h x w with a random gain and shift per channel, some channels set to their
    mean.

    Whole channels differ between rendered and real surfaces; the network must not rely on any of
    them.
    """
    channels = (*features.shape[:2], 1, 1)
    scaled = (features - mean) * (1 + _GAIN_SPREAD * torch.randn(channels))
    shifted = scaled + mean + _SHIFT_SPREAD * deviation * torch.randn(channels)
    dropped = (torch.rand(channels) < _DROPPED_CHANNELS) | (torch.rand(1) < _ALL_DROPPED)
    return torch.where(dropped, mean, shifted)


@torch.no_grad()
def held_back_scores(
    net: ClickNet,
    samples: list[ClickSample],
    simulator: UserSimulator,
    scope: Scope,
    *,
    corrupted: bool,
) -> list[float]:
    """Mean IoU after 1, 2, 3 and 5 clicks of users who want all walls or one and do not say."""
    scores: dict[int, list[float]] = {count: [] for count in _CHECKED_CLICKS}
    for number, sample in enumerate(samples):
        rng = np.random.default_rng([number, 5])
        user = simulator.new_user(sample, rng, corrupted=corrupted, has_preferences=False)
        user.logits, user.stated_scope, user.inferred_scope = None, Scope.AUTO, None
        user.intent = Intent(walls_of(sample, scope))
        goes_on = True
        for count in range(1, max(_CHECKED_CLICKS) + 1):
            goes_on = goes_on and simulator.click(user, rng)
            if goes_on:
                user.show(net(*inputs_of(user, simulator))[0, 0].numpy())
            if count in scores:
                scores[count].append(iou(user.mask, user.intent.walls, sample.extent))
    return [round(float(np.mean(some)), 4) for some in scores.values() if some]


def walls_of(sample: ClickSample, scope: Scope) -> npt.NDArray[np.bool_]:
    """All walls, or the largest wall plane, bool 256 x 256."""
    if scope is Scope.ALL_WALLS:
        return sample.is_wall
    numbers, sizes = np.unique(sample.planes[sample.is_wall], return_counts=True)
    return np.asarray(sample.is_wall & (sample.planes == numbers[np.argmax(sizes)]))


def iou(
    found: npt.NDArray[np.bool_], true: npt.NDArray[np.bool_], extent: tuple[int, int]
) -> float:
    """Intersection over union of two masks bool 256 x 256 inside the photo."""
    rows, columns = extent
    a, b = found[:rows, :columns], true[:rows, :columns]
    return float((a & b).sum() / max(1, (a | b).sum()))


def held_back_report(
    state: TrainingState[ClickNet], check: list[ClickSample], simulator: UserSimulator
) -> dict[str, list[float]]:
    """The averaged network's scores on the held-back samples."""
    averaged_net = ClickNet()
    averaged_net.load_state_dict(state.average)
    averaged_net.eval()
    return {
        f"held_back_{name}{'_corrupted' if corrupted else ''}": held_back_scores(
            averaged_net, check, simulator, scope, corrupted=corrupted
        )
        for name, scope in (("all", Scope.ALL_WALLS), ("one", Scope.THIS_WALL))
        for corrupted in (False, True)
    }


def load_split(cache: Path, most_checked: int) -> tuple[list[ClickSample], list[ClickSample]]:
    """Samples to train on, and unaugmented ones of rooms that are held back."""
    paths = sorted(cache.glob("*_?.npz"))
    held = [path for path in paths if room_is_held_back(path.name.split("_")[0])]
    train = [ClickSample.load(path) for path in paths if path not in set(held)]
    plain = [path for path in held if path.stem.endswith("_o")][:most_checked]
    return train, [ClickSample.load(path) for path in plain]


def learn(
    state: TrainingState[ClickNet],
    groups: list[UserGroup],
    options: argparse.Namespace,
    check: tuple[list[ClickSample], UserSimulator],
) -> None:
    """All steps, with a line of the log every 25 and a measure and checkpoint every 300."""
    since = time.monotonic()
    log_path = options.out / "clicks.jsonl"
    with ThreadPoolExecutor(1) as pool, log_path.open("a", encoding="utf-8") as log:
        waiting = [pool.submit(group.inputs) for group in groups]
        losses: list[float] = []
        while state.step < options.steps:
            k = state.step % len(groups)
            inputs = waiting[k].result()
            batch = list(zip(inputs, map(target_of, groups[k].users), strict=True))
            rate = options.rate * cosine_schedule(state.step, options.steps)
            loss, outputs = train_step(state, batch, rate)
            waiting[k] = pool.submit(groups[k].respond, outputs)
            losses.append(loss)
            done = state.step == options.steps
            row: dict[str, Any] = {"step": state.step}
            if state.step % 300 == 0 or done:
                row |= held_back_report(state, *check)
                state.save(options.out / "clicks.checkpoint.pt")
                for name in ("click_net.pt", f"click_net.{state.step}.pt"):
                    torch.save(state.average, options.out / name)
            if state.step % 25 == 0 or done:
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
    simulator = UserSimulator(options.models, options.heads)
    state = new_training(train, options.seed)
    state.resume(options.out / "clicks.checkpoint.pt")
    print(f"{len(train)} samples, {len(check)} held back, from step {state.step}", flush=True)
    groups = [
        UserGroup(train, simulator, [options.seed, state.step, number]) for number in range(2)
    ]
    learn(state, groups, options, (check, simulator))


if __name__ == "__main__":
    main()
