"""Cycles settings, the photo pass and the exact label pass.

Cheap on a CPU: few samples a pixel, denoised with albedo and normals; labels, planes and depth come
from one pass of one sample in which every object shines in the colour of its label.
"""

from __future__ import annotations

from pathlib import Path

import bpy
import cv2
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Uint8 = npt.NDArray[np.uint8]


def setup(samples: int, threads: int) -> bpy.types.Material:
    """Set Cycles up for the open scene; returns the material of the label pass."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    _path_tracing(scene.cycles, samples)
    r = scene.render
    r.threads_mode, r.threads = "FIXED", threads
    r.use_persistent_data = False
    i = r.image_settings
    i.file_format, i.color_mode, i.color_depth, i.exr_codec = "OPEN_EXR", "RGB", "32", "NONE"
    w = bpy.data.worlds.new("w")
    w.use_nodes = True
    w.node_tree.nodes["Background"].inputs[0].default_value = (0.01, 0.01, 0.01, 1)
    scene.world = w
    return _label_material()


def _path_tracing(c: bpy.types.PropertyGroup, samples: int) -> None:
    c.device, c.samples, c.use_adaptive_sampling = "CPU", samples, False
    c.denoising_quality = "FAST"
    c.use_denoising, c.denoiser = True, "OPENIMAGEDENOISE"
    c.denoising_input_passes, c.denoising_prefilter = "RGB_ALBEDO_NORMAL", "FAST"
    c.max_bounces, c.diffuse_bounces, c.glossy_bounces, c.transmission_bounces = 3, 3, 2, 1
    c.sample_clamp_indirect, c.sample_clamp_direct = 4.0, 20.0
    c.caustics_reflective = c.caustics_refractive = False
    c.blur_glossy = 1.0
    c.use_light_tree = True


def _label_material() -> bpy.types.Material:
    """Emits class and plane (the object's colour) and the depth along the view, as R, G, B."""
    m = bpy.data.materials.new("code")
    m.use_nodes = True
    t = m.node_tree
    t.nodes.clear()
    kinds = [
        "OutputMaterial",
        "Emission",
        "ObjectInfo",
        "CameraData",
        "SeparateColor",
        "CombineColor",
    ]
    out, em, info, cam, sep, cmb = (t.nodes.new("ShaderNode" + kind) for kind in kinds)
    t.links.new(info.outputs["Color"], sep.inputs[0])
    for i in (0, 1):
        t.links.new(sep.outputs[i], cmb.inputs[i])
    t.links.new(cam.outputs["View Z Depth"], cmb.inputs[2])
    t.links.new(cmb.outputs[0], em.inputs[0])
    t.links.new(em.outputs[0], out.inputs[0])
    return m


def render(path: Path) -> Float32:
    """Render through the file `path`; returns linear light, float32 H x W x 3 RGB.

    Raises:
        RuntimeError: Blender wrote no picture.
    """
    bpy.context.scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise RuntimeError(f"Blender wrote no picture to {path}")
    return picture[..., ::-1].astype(np.float32)


def label_pass(code: bpy.types.Material, path: Path) -> tuple[Uint8, Uint8, Float32]:
    """Classes, wall plane numbers (uint8 H x W) and depth in metres (float32 H x W)."""
    layer, c = bpy.context.scene.view_layers[0], bpy.context.scene.cycles
    once = {
        "samples": 1,
        "max_bounces": 0,
        "use_denoising": False,
        "pixel_filter_type": "BOX",
        "filter_width": 0.01,
    }
    keep = {name: getattr(c, name) for name in once}
    layer.material_override = code
    hidden = [o for o in bpy.data.objects if o.type == "LIGHT" or o.get("no_label")]
    _set(c, once)
    for o in hidden:
        o.hide_render = True
    a = render(path)
    for o in hidden:
        o.hide_render = False
    layer.material_override = None
    _set(c, keep)
    classes = np.round(a[..., 0] * 16).astype(np.uint8)
    return classes, np.round(a[..., 1] * 255).astype(np.uint8), a[..., 2]


def _set(target: bpy.types.PropertyGroup, values: dict[str, object]) -> None:
    for name, value in values.items():
        setattr(target, name, value)
