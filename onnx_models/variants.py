"""Faster or richer versions of the weights, built here from the fetched originals.

- `decoder.lean.onnx`: the decoder written anew from its weights so that it does less work for the
  same numbers where the photo is (`lean_decoder`); all four candidate masks and their scores
  come out.
- `decoder4.onnx`: the decoder cut before its mask selection, so that all four candidate masks and
  their scores come out. Same weights, same numbers; it also skips the full-size enlargement.
- `encoder.lean.onnx`: the encoder written anew from its weights, for the caches, without what the
  photo cannot reach, with int8 where it pays (`lean_encoder`).
- `encoder.int8.onnx`: the published encoder with the weights of MatMul and Gemm as int8 per channel
  and activations quantised on the fly (`quantize_dynamic`), after conversion to opset 17.

A variant is loaded and run beside its original before it is put in place; beside it lies a stamp
(`NAME.json`) with the digests of source and result and the builder's version, so that an
up-to-date file is not built again. onnx and onnxruntime are imported only while building.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from onnx_models.errors import VariantError
from onnx_models.files import digest_of, part_file, put_in_place, read_json, write_json
from onnx_models.graphs.lean_decoder import lean_decoder
from onnx_models.graphs.lean_encoder import lean_encoder
from onnx_models.manifest import Manifest
from onnx_models.specimen import drawn_room

if TYPE_CHECKING:
    from segmentation import Embedding, Prediction, SamModel

_OPSET: Final = 17
_CHECK_THREADS: Final = 2
# Least mask agreement (IoU) with the original on the built-in picture. The decoders are exact but
# for rounding, which may flip a single cell; int8 may differ at the edges. On a CPU whose int8
# products saturate, the check fails and the original stays in use.
_MIN_IOU: Final = {"encoder": 0.99, "decoder": 0.999}
_CHECK_POINTS: Final = ((0.2, 0.2), (0.75, 0.2), (0.62, 0.55), (0.3, 0.9), (0.88, 0.62))


@dataclass(frozen=True, slots=True)
class Variant:
    """One file built from the manifest's encoder or decoder. role: "encoder" or "decoder".

    builder: raise it when `build` changes what it writes: the file is then built again.
    """

    file: str
    role: str
    build: Callable[[Path, Path], None]
    builder: int = 1


@dataclass(frozen=True, slots=True)
class Built:
    """A variant in place. origin: "in place" or "built"."""

    path: Path
    sha256: str
    origin: str


def cut_decoder(source: Path, target: Path) -> None:
    """Make the four candidates and their scores the decoder's outputs.

    Raises:
        VariantError: the graph has no such tensors.
    """
    import onnx
    from onnx import TensorProto, helper

    names = {
        "/Reshape_9_output_0": "candidate_masks",
        "/iou_prediction_head/layers.2/Gemm_output_0": "candidate_scores",
    }
    model = onnx.load(str(source))
    graph = model.graph
    nodes = _ancestors(graph.node, set(names))
    if not set(names) <= {name for node in nodes for name in node.output}:
        raise VariantError("this decoder has no tensors named as in MobileSAM's export")
    used = {name for node in nodes for name in node.input}
    for node in nodes:
        for names_of in (node.input, node.output):
            names_of[:] = [names.get(name, name) for name in names_of]
    cut = helper.make_graph(
        nodes,
        "sam_decoder_four_candidates",
        [item for item in graph.input if item.name in used],
        [
            helper.make_tensor_value_info("candidate_masks", TensorProto.FLOAT, (1, 4, 256, 256)),
            helper.make_tensor_value_info("candidate_scores", TensorProto.FLOAT, (1, 4)),
        ],
        initializer=[item for item in graph.initializer if item.name in used],
    )
    result = helper.make_model(
        cut, opset_imports=model.opset_import, ir_version=model.ir_version, producer_name=""
    )
    onnx.checker.check_model(result)
    onnx.save(result, str(target))


def _ancestors(nodes: Iterable[Any], wanted: set[str]) -> list[Any]:
    """The nodes that the wanted tensors depend on, in their order."""
    needed, kept = set(wanted), []
    for node in reversed(list(nodes)):
        if needed & set(node.output):
            kept.append(node)
            needed.update(node.input)
    return kept[::-1]


def quantise_encoder(source: Path, target: Path) -> None:
    """Write the int8 encoder.

    Raises:
        VariantError: the graph cannot be converted.
    """
    import onnx
    import onnx.version_converter
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(str(source))
    for item in (*model.graph.input, *model.graph.output):
        item.type.tensor_type.shape.dim[0].dim_value = 1
    try:
        converted = onnx.version_converter.convert_version(model, _OPSET)
    except RuntimeError as error:
        raise VariantError(f"not convertible to opset {_OPSET}: {error}") from error
    # The quantiser advises a pre-processing on the root logger; here it brought nothing.
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        quantize_dynamic(
            converted,
            str(target),
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            weight_type=QuantType.QInt8,
        )
    finally:
        root.setLevel(level)


DECODER_LEAN: Final = Variant("decoder.lean.onnx", "decoder", lean_decoder, builder=3)
DECODER_FOUR: Final = Variant("decoder4.onnx", "decoder", cut_decoder)
ENCODER_INT8: Final = Variant("encoder.int8.onnx", "encoder", quantise_encoder)
ENCODER_LEAN: Final = Variant("encoder.lean.onnx", "encoder", lean_encoder, builder=2)
# What is used of each role: the first that builds and agrees, else the published file. Measured by
# benchmarks/segmentation_variants.py.
PREFERRED: Final = ((DECODER_LEAN, DECODER_FOUR), (ENCODER_LEAN, ENCODER_INT8))
VARIANTS: Final = {variant.file: variant for choice in PREFERRED for variant in choice}


def ensure_variant(
    variant: Variant, directory: Path, manifest: Manifest, say: Callable[[str], None]
) -> Built:
    """Build the variant unless it is there and up to date; the caller holds the folder's lock.

    Raises VariantError when it cannot be built or its masks differ from the original's. That is
    noted in the stamp too: a machine where the check fails does not repeat it at every start.
    """
    path = directory / variant.file
    stamp_path = directory / f"{variant.file}.json"
    source = getattr(manifest, variant.role)
    wanted = {"source_sha256": source.sha256, "builder": variant.builder}
    stamp = read_json(stamp_path)
    if {key: stamp.get(key) for key in wanted} == wanted:
        if "refused" in stamp:
            raise VariantError(str(stamp["refused"]))
        if path.is_file() and digest_of(path) == stamp.get("sha256"):
            return Built(path, str(stamp["sha256"]), "in place")
        say(f"Damaged or gone: {path}. Building it again.")
    say(f"Building {variant.file} from {source.file}")
    with part_file(directory) as part:
        try:
            agreement = _build_checked(variant, directory / source.file, part, manifest)
        except VariantError as error:
            if not isinstance(error.__cause__, ImportError):  # a missing package may come
                write_json(stamp_path, {**wanted, "refused": str(error)})
            raise
        digest = digest_of(part)
        stamp_path.unlink(missing_ok=True)
        put_in_place(part, path)
    write_json(stamp_path, {**wanted, "sha256": digest, "least_mask_iou": round(agreement, 5)})
    return Built(path, digest, "built")


def _build_checked(variant: Variant, source: Path, part: Path, manifest: Manifest) -> float:
    from segmentation import SegmentationError

    try:
        variant.build(source, part)
        agreement = _agreement(variant, part, manifest)
    except SegmentationError as error:
        raise VariantError(f"does not run: {error}") from error
    except (ImportError, ValueError, RuntimeError, TypeError, AttributeError) as error:
        raise VariantError(f"cannot be built from {source}: {error}") from error
    if agreement < _MIN_IOU[variant.role]:
        raise VariantError(
            f"its masks agree only {agreement:.4f} (IoU) with the original's on this machine, "
            f"{_MIN_IOU[variant.role]} is needed"
        )
    return agreement


def _agreement(variant: Variant, part: Path, manifest: Manifest) -> float:
    """Least IoU of the variant's masks with the original's over clicks on the built-in picture."""
    from segmentation import Click, SamModel

    files = {"encoder": manifest.encoder.file, "decoder": manifest.decoder.file}

    def model(names: dict[str, str]) -> SamModel:
        return SamModel.load(
            part.parent,
            encoder_threads=_CHECK_THREADS,
            decoder_threads=_CHECK_THREADS,
            encoder_file=names["encoder"],
            decoder_file=names["decoder"],
            heads_directory=None,
        )

    picture = drawn_room()
    height, width = picture.shape[:2]
    original, changed = model(files), model({**files, variant.role: part.name})
    first = original.encode(picture)
    # A decoder is asked about the same features: encoding takes most of the check's time.
    second = changed.encode(picture) if variant.role == "encoder" else _for_model(first, changed)
    least = 1.0
    for x, y in _CHECK_POINTS:
        clicks = [Click(x * width, y * height, 1)]
        least = min(least, _iou(original.predict(first, clicks), changed.predict(second, clicks)))
    return least


def _for_model(embedding: Embedding, model: SamModel) -> Embedding:
    """The features of an embedding as the embedding of another model with the same encoder."""
    from segmentation import Embedding

    return Embedding.build(
        embedding.features,
        width=embedding.width,
        height=embedding.height,
        model=model.identity,
        thumbnail=embedding.thumbnail,
    )


def _iou(one: Prediction, other: Prediction) -> float:
    from segmentation.geometry import PhotoGrid

    # Beside the photo a variant may say nothing where the original imagines something.
    columns, rows = PhotoGrid(one.width, one.height).mask_extent
    a, b = (found.logits[:rows, :columns] > 0 for found in (one, other))
    union = int((a | b).sum())
    return float((a & b).sum()) / union if union else 1.0
