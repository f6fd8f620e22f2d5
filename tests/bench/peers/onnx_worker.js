// usage: node onnx_worker.js NODE_MODULES GRAPH: a worker, as tests/bench/worker.c, over onnxruntime-node.
"use strict";
const fs = require("fs");
const path = require("path");
const ort = require(path.resolve(process.argv[2], "onnxruntime-node"));
const { serve } = require("./turns.js");

const graph = process.argv[3];
let session, feeds, fetches;

function elements(shape) {
  return shape.reduce((a, b) => a * b, 1);
}

// A graph's dimensions with the frames put in; one window is all that a graph treats.
function shapeOf(metadata, frames) {
  return metadata.shape.map((size) => (typeof size === "number" ? size : frames));
}

async function open(frames, input, output) {
  if (session) await session.release();
  session = await ort.InferenceSession.create(graph, {
    executionProviders: ["cpu"],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
    executionMode: "sequential",
    freeDimensionOverrides: { frames },
  });
  const bytes = fs.readFileSync(input);
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  feeds = {};
  let at = 0;
  for (const metadata of session.inputMetadata) {
    const shape = shapeOf(metadata, frames);
    feeds[metadata.name] = new ort.Tensor("float32", values.slice(at, at + elements(shape)), shape);
    at += elements(shape);
  }
  const shape = shapeOf(session.outputMetadata[0], frames);
  // A place that is made ready, as a C program would have it.
  fetches = { out: new ort.Tensor("float32", new Float32Array(elements(shape)), shape) };
  const results = await session.run(feeds, fetches);
  fs.writeFileSync(output, Buffer.from(Float32Array.from(results.out.data).buffer));
  return "ok";
}

serve(open, () => session.run(feeds, fetches));
