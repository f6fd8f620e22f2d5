// The worker's half of turns.py, for programs that run in Node: answers the commands of tests/bench/worker.c.
"use strict";
const readline = require("readline");

// Processor seconds of this process.
function seconds() {
  const used = process.cpuUsage();
  return 1e-6 * (used.user + used.system);
}

async function time(run, most) {
  const start = seconds();
  let took = 0;
  let runs = 0;
  for (; took < most || runs === 0; runs++) {
    await run();
    took = seconds() - start;
  }
  return `${(took / runs).toFixed(9)} ${runs}`;
}

// open(frames, input, output) makes ready and answers; run() is what is timed.
async function answer(open, run) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const words = line.split(" ");
    const said =
      words[0] === "open" ? await open(Number(words[2]), words[3], words[4]) : await time(run, Number(words[1]));
    process.stdout.write(said + "\n");
  }
}

exports.serve = (open, run) =>
  answer(open, run).catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
