"""IOPaint 1.6.0's `POST /api/v1/inpaint` by its schema, but strict about unknown fields."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.backends.doubles import NUMBER, Double, Exchange, brighter, checked, picture_of
from tests.harness.factories import as_file

REQUIRED = {"image": str, "mask": str}
OPTIONAL = {
    "prompt": str,
    "negative_prompt": str,
    "sd_strength": NUMBER,
    "sd_steps": int,
    "sd_guidance_scale": NUMBER,
    "sd_sampler": str,
    "sd_seed": int,
    "sd_scale": NUMBER,
    "sd_mask_blur": int,
    "sd_keep_unmasked_area": bool,
    "sd_match_histograms": bool,
    "hd_strategy": str,
    "paint_by_example_example_image": str,
    "enable_controlnet": bool,
    "controlnet_method": str,
    "controlnet_conditioning_scale": NUMBER,
    "cv2_flag": str,
    "cv2_radius": int,
}


@dataclass
class IOPaintDouble(Double):
    """Knows no key and no cancel; the answer is the picture itself."""

    bodies: list[dict[str, Any]] = field(default_factory=list)

    def guarded(self, path: str) -> bool:
        return False

    def route(self, method: str, exchange: Exchange) -> None:
        if (method, exchange.path) != ("POST", "/api/v1/inpaint"):
            raise ValueError(f"no such address: {method} {exchange.path}")
        if exchange.header("Content-Type") != "application/json":
            raise ValueError("the body must be JSON")
        body = checked(json.loads(exchange.body), REQUIRED, OPTIONAL)
        image, mask = picture_of(body["image"]), picture_of(body["mask"])
        if "paint_by_example_example_image" in body:
            picture_of(body["paint_by_example_example_image"])
        if not body.get("sd_strength", 1.0) <= 1.0:
            raise ValueError("sd_strength: less than or equal to 1")
        if body.get("hd_strategy", "Crop") not in ("Original", "Resize", "Crop"):
            raise ValueError("hd_strategy")
        self.bodies.append(body)
        if image.size != mask.size:
            detail = f"Image size({image.size}) and mask size({mask.size}) not match."
            error = {"error": "HTTPException", "detail": detail, "body": "", "errors": detail}
            self.complaints.append(detail)
            exchange.json(error, 400)
            return
        fault = self.next_fault()
        if fault is not None:
            fault(exchange)
            return
        seed = str(body.get("sd_seed", 42))
        made = as_file(brighter(image))
        exchange.send(made, Content_Type="image/png", X_Seed=seed)
