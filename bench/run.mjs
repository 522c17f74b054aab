#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { benchTitles, loadBench } from './harness/benches.mjs';
import { installPeers } from './harness/install-peers.mjs';
import { describeMachine, watchLoad } from './harness/machine.mjs';
import { formatTable } from './harness/report.mjs';
import { cleanUp } from './harness/clean-up.mjs';

const usage = `npm run bench -- <name> [--quick] [--json] [--only=contender,…]

  --quick   small counts and one round: does it work, not how fast is it
  --json    the last line of stdout is one object {bench, machine, results}
  --only    measure only these contenders (ours is called "ours")

  "list" as the name lists the benchmarks.`;

/** Progress goes to stderr, so that stdout holds the outcome and nothing else. */
const log = (line) => process.stderr.write(`${line}\n`);

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [name] = positionals;
  if (values.help || positionals.length !== 1) {
    console.log(usage);
    return values.help ? 0 : 2;
  }
  if (name === 'list') {
    const titles = await benchTitles();
    if (values.json) console.log(JSON.stringify({ benches: titles }));
    else for (const [bench, title] of Object.entries(titles)) console.log(`${bench.padEnd(12)} ${title}`);
    return 0;
  }
  await installPeers(log);
  const bench = await loadBench(name);
  const load = watchLoad();
  const only = values.only?.split(',');
  const outcome = await bench.run({ quick: values.quick, only, log });
  const machine = {
    ...describeMachine(),
    ...outcome.machine,
    othersCpuPercent: load.othersPercent(),
    quick: values.quick,
  };
  const report = { bench: name, machine, results: outcome.results };
  console.log(values.json ? JSON.stringify(report) : formatTable(report));
  const wantsOurs = only?.includes('ours') ?? true;
  return wantsOurs && outcome.results.some((result) => result.ours === null) ? 1 : 0;
}

// Peers leave timers and connections open: nothing but exit() ends the process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => void cleanUp().finally(() => process.exit(130)));
}
main()
  .catch((error) => {
    log(`bench: ${error.stack ?? error}`);
    return 1;
  })
  .then(async (code) => {
    await cleanUp();
    process.exit(code);
  });
