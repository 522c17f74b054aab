#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';
import nodeModule from 'node:module';

const entry = new URL('../dist/src/cli.js', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

if (process.argv.length === 3 && ['-V', '--version'].includes(process.argv[2])) {
  process.stdout.write(`${version}\n`); // without loading anything
} else if (!existsSync(entry)) {
  process.stderr.write('photosafe: it is not built yet: run "npm run build" in the folder of PhotoSafe first\n');
  process.exitCode = 1;
} else {
  nodeModule.enableCompileCache?.(); // Node 22.8 and newer: a quicker second start
  const { main } = await import(entry.href);
  await main(version);
  // What a command has left open by mistake must not keep the terminal.
  setTimeout(() => process.exit(), 5_000).unref();
}
