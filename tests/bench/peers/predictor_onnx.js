// usage: node predictor_onnx.js NODE_MODULES FOLDER samples|loop|nothing: a worker, as tests/bench/predictor/worker.c,
// over onnxruntime-node and the graphs of predictor_onnx.py: a call for each sample, one call with the loops inside, or
// as many calls as for samples that do nothing.
"use strict";
const fs = require("fs");
const path = require("path");
const ort = require(path.resolve(process.argv[2], "onnxruntime-node"));
const { serve } = require("./turns.js");

const [folder, mode] = process.argv.slice(3);
const SUBFRAME = 16;
const FRAME = 64;
const sessions = {};
let x, conditions, phases, whole, result, out;

function readFloats(file) {
  const bytes = fs.readFileSync(file);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

function rows(values, width) {
  const count = values.length / width;
  return Array.from({ length: count }, (_, i) => tensor(values.slice(i * width, (i + 1) * width), [1, width]));
}

function tensor(values, shape) {
  return new ort.Tensor("float32", values, shape);
}

function empty(...shape) {
  return tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
}

async function load(...names) {
  for (const name of names) {
    sessions[name] = await ort.InferenceSession.create(path.join(folder, `${name}.onnx`), {
      executionProviders: ["cpu"],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      graphOptimizationLevel: "all",
      executionMode: "sequential",
    });
  }
}

function width(name, index) {
  return sessions[name].inputMetadata[index].shape[1];
}

// Inputs, row by row, are made into tensors before time is taken.
async function open(frames, input, output) {
  await load(...(mode === "samples" ? ["frame", "subframe", "sample"] : [mode]));
  const values = readFloats(input);
  const told = mode === "samples" ? width("frame", 0) : mode === "loop" ? width("loop", 1) : 0;
  const at = values.length - frames * told;
  const inputs = mode === "samples" ? width("sample", 0) : width(mode, 0);
  if (mode === "loop") {
    whole = { x: tensor(values.slice(0, at), [at / inputs, inputs]) };
    whole.condition = tensor(values.slice(at), [frames, told]);
  } else {
    x = rows(values.slice(0, frames * FRAME * inputs), inputs);
    conditions = mode === "samples" ? rows(values.slice(at), told) : [];
    const phase = readFloats(path.join(folder, "phase"));
    phases = rows(phase, phase.length / SUBFRAME);
  }
  await run();
  fs.writeFileSync(output, Buffer.from(Float32Array.from(out).buffer));
  return "ok";
}

// Places for results are made ready, as a C program would have them.
async function runSamples() {
  const size = sessions.sample.outputMetadata[0].shape[1];
  const hidden = sessions.subframe.inputMetadata[2].shape[2];
  const told = empty(1, width("subframe", 1));
  const base = empty(1, width("sample", 1));
  const answer = empty(1, size);
  const states = [empty(1, 1, hidden), empty(1, 1, hidden)];
  out = result || (result = new Float32Array(x.length * size));
  for (let t = 0; t < x.length; t++) {
    if (t % FRAME === 0) await sessions.frame.run({ condition: conditions[t / FRAME] }, { told });
    if (t % SUBFRAME === 0) {
      const turn = (t / SUBFRAME) % 2;
      await sessions.subframe.run({ x: x[t], told, h: states[turn] }, { h_after: states[1 - turn], base });
    }
    await sessions.sample.run({ x: x[t], base, phase: phases[t % SUBFRAME] }, { out: answer });
    out.set(answer.data, t * size);
  }
}

async function runNothing() {
  const answer = empty(1, width("nothing", 0));
  const calls = x.length + x.length / SUBFRAME + x.length / FRAME;
  for (let i = 0; i < calls; i++) await sessions.nothing.run({ x: x[i % x.length] }, { out: answer });
  out = answer.data;
}

async function run() {
  if (mode === "samples") await runSamples();
  else if (mode === "nothing") await runNothing();
  else out = (await sessions.loop.run(whole)).out.data;
}

serve(open, run);
