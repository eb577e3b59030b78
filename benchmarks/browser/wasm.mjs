// Encodes and decodes with onnxruntime-web (WASM, one thread), one round for every line on stdin.
//   node wasm.mjs FOLDER   with encoder.onnx, sam.onnx and picture.f32 (1 x 3 x 1024 x 1024)
// Answers each line with {"encode": seconds, "decode": seconds, "features": [first 64 numbers]}.
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import * as ort from "onnxruntime-web";

const folder = process.argv[2];
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

const load = async (name) => ort.InferenceSession.create(await readFile(`${folder}/${name}`), { executionProviders: ["wasm"] });
const floats = (values, shape) => new ort.Tensor("float32", Float32Array.from(values), shape);
const timed = async (session, feeds) => {
  const start = performance.now();
  const result = await session.run(feeds);
  return [(performance.now() - start) / 1000, result];
};

const encoder = await load("encoder.onnx");
const decoder = await load("sam.onnx");
const bytes = await readFile(`${folder}/picture.f32`);
const pixels = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
const picture = new ort.Tensor("float32", pixels, [1, 3, 1024, 1024]);

for await (const _ of createInterface({ input: process.stdin })) {
  const [encode, encoded] = await timed(encoder, { [encoder.inputNames[0]]: picture });
  const features = encoded[encoder.outputNames[0]];
  const [decode] = await timed(decoder, {
    image_embeddings: features,
    point_coords: floats([512, 256, 0, 0], [1, 2, 2]),
    point_labels: floats([1, -1], [1, 2]),
    mask_input: new ort.Tensor("float32", new Float32Array(256 * 256), [1, 1, 256, 256]),
    has_mask_input: floats([0], [1]),
    orig_im_size: floats([768, 1024], [2]),
  });
  console.log(JSON.stringify({ encode, decode, features: Array.from(features.data.slice(0, 64)) }));
}
