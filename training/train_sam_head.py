"""The head on MobileSAM's own embedding: encode rendered rooms once, train, export.

    python -m training.train_sam_head --rooms DIR [DIR ...] --models var/models --cache DIR
        --out DIR [--keep-for-clicks 5060-5090] [--variants a] [--steps 500] [--seed 0]
        [--part 0/1] [--encode-only]

SAM's encoder stays as it is, so its features come from a cache: one augmented encoding a room and
variant, 2 MB each. --part K/N encodes every Nth room from the Kth; several may run side by side.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn as nn
import torch.nn.functional as F

from segmentation import SamModel
from training.augment import cut_pieces
from training.click_samples import save_arrays
from training.dataset import WALL, Sample, is_held_back, is_in, load_folders
from training.prepared_views import extent_on, on_square, rng_of, view_of
from training.train_walls import wall_loss
from training.wall_net import Mix, cosine_schedule, update_average

_BATCH: Final = 8
_DECAY: Final = 0.98
_CELLS: Final = 64
_TOP: Final = 2e-3


class SamHead(nn.Module):
    """Embedding -> wall logit on its own 64 x 64 grid; 105 thousand weights."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, 256, 1, 1))
        self.register_buffer("deviation", torch.ones(1, 256, 1, 1))
        self.drop = nn.Dropout2d(0.25)  # whole channels, so that no single one is relied on
        self.narrow = nn.Conv2d(256, width, 1)
        self.norm = nn.GroupNorm(8, width)
        self.blocks = nn.ModuleList([Mix(width, d) for d in (1, 2, 4, 8)])
        self.out = nn.Conv2d(width, 1, 1)

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        """B x 256 x 64 x 64 -> B x 1 x 64 x 64."""
        x = self.drop((embedding - self.mean) / self.deviation)
        x = F.relu(self.norm(self.narrow(x)))
        for block in self.blocks:
            x = block(x)
        return self.out(x)


def encode_room(
    model: SamModel, view: tuple[npt.NDArray[np.uint8], ...]
) -> dict[str, npt.NDArray[np.generic]]:
    """The features of one view, float16 256 x 64 x 64, its share of wall and its cells with photo,
    float32 64 x 64.
    """
    photo, labels, _ = view
    share = on_square((labels == WALL).astype(np.float32), _CELLS, cv2.INTER_AREA)
    valid = np.zeros_like(share)
    rows, columns = extent_on(_CELLS, labels.shape)
    valid[:rows, :columns] = 1
    features = model.encode(photo).features[0]
    return {"features": features.astype(np.float16), "share": share, "valid": valid}


def fill_cache(samples: list[Sample], options: argparse.Namespace) -> None:
    """Encode every sample and variant that has no file in the cache yet."""
    model = SamModel.load(
        options.models, encoder_threads=1, decoder_threads=1, heads_directory=None
    )
    pieces = cut_pieces(samples)
    first, every = (int(part) for part in options.part.split("/"))
    for variant in options.variants:
        for sample in samples[first::every]:
            path = options.cache / f"{sample.name}_{variant}.npz"
            if not path.exists():
                rng = rng_of(sample, variant)
                save_arrays(path, encode_room(model, view_of(sample, pieces, variant, rng)))


def stack(paths: list[Path]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Embeddings B x 256 x 64 x 64, shares of wall and valid cells B x 1 x 64 x 64, float32."""
    samples = []
    for path in paths:
        with np.load(path) as arrays:
            samples.append(
                [arrays[name].astype(np.float32) for name in ("features", "share", "valid")]
            )
    embedding, share, valid = (
        torch.from_numpy(np.stack(part)) for part in zip(*samples, strict=True)
    )
    return embedding, share[:, None], valid[:, None]


def train(paths: list[Path], steps: int, seed: int) -> SamHead:
    """A head trained on these files of the cache, with the average of its late weights, for use."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = SamHead()
    some = stack(paths[:: max(1, len(paths) // 40)])[0]
    net.mean.copy_(some.mean((0, 2, 3)).view(1, -1, 1, 1))
    net.deviation.copy_(some.std((0, 2, 3)).view(1, -1, 1, 1))
    optimiser = torch.optim.AdamW(net.parameters(), lr=_TOP, weight_decay=0.02)
    average = {k: v.detach().clone() for k, v in net.state_dict().items()}
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = _TOP * cosine_schedule(step, steps) * min(1, (step + 1) / 50)
        embedding, share, valid = stack(
            [paths[int(k)] for k in rng.integers(len(paths), size=_BATCH)]
        )
        embedding = embedding + 0.15 * net.deviation * torch.randn_like(embedding)
        logit = net(embedding)
        # Cells beside the photo cost nothing.
        loss = wall_loss(torch.where(valid > 0, logit, torch.full_like(logit, -9.0)), share)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        update_average(average, net, _DECAY)
        if step % 50 == 49:
            print({"step": step + 1, "loss": round(float(loss.detach()), 4)}, flush=True)
    net.load_state_dict(average)
    return net.eval()


@torch.no_grad()
def held_back_iou(net: SamHead, paths: list[Path]) -> float:
    """Mean IoU on the 64 grid of samples that did not train; not a number when there are none."""
    scores = []
    for path in paths:
        embedding, share, valid = stack([path])
        found, true = (net(embedding) > 0) & (valid > 0), share > 0.5
        scores.append(float((found & true).sum() / (found | true).sum().clamp(min=1)))
    return float(np.mean(scores)) if scores else math.nan


def main() -> None:
    """Encode, train, measure, export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", type=Path, required=True, nargs="+")
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--keep-for-clicks", nargs="*", default=[], metavar="FIRST-END")
    parser.add_argument("--variants", default="a")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", default="0/1")
    parser.add_argument("--encode-only", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(2)
    options.cache.mkdir(parents=True, exist_ok=True)
    options.out.mkdir(parents=True, exist_ok=True)
    samples = [s for s in load_folders(options.rooms) if not is_in(s, options.keep_for_clicks)]
    fill_cache(samples, options)
    if options.encode_only:
        return
    held = {sample.name for sample in samples if is_held_back(sample)}
    paths = sorted(options.cache.glob("*_?.npz"))
    net = train([p for p in paths if p.stem[:-2] not in held], options.steps, options.seed)
    score = held_back_iou(net, [p for p in paths if p.stem[:-2] in held])
    print({"rooms": len(paths), "held_back_iou": round(score, 4)})
    torch.save(net.state_dict(), options.out / "sam_head.pt")


if __name__ == "__main__":
    main()
