"""A process that encodes one photo through the product's cache, for the tests of many of them.

    python -m tests.services.encoding_process DIGEST

Says "ready" when all is loaded, waits for a line on its input, and prints what came out as JSON:
the embedding's digest and whether the encoder ran here. The settings come from the environment.
"""

from __future__ import annotations

import json
import sys

import django

django.setup()

from segmentation import SamModel  # noqa: E402
from sessions_app.inference import embeddings  # noqa: E402
from sessions_app.inference.model import sam_model  # noqa: E402
from tests.harness.factories import room_pixels  # noqa: E402


def main() -> None:
    """Encode when told to."""
    encoded: list[int] = []
    original = SamModel.encode

    def counting(model: SamModel, photo: object) -> object:
        encoded.append(1)
        return original(model, photo)  # type: ignore[arg-type]

    SamModel.encode = counting  # type: ignore[method-assign, assignment]
    sam_model().warm_up()
    print("ready", flush=True)
    sys.stdin.readline()
    embedding = embeddings.obtain(sys.argv[1], room_pixels)
    print(json.dumps({"embedding": embedding.digest, "encoded": len(encoded)}), flush=True)


if __name__ == "__main__":
    main()
