#!/usr/bin/env node
// Builds dist/ when it is missing or older than what it is made from (with --force: in any case). Quick when there is
// nothing to do, quiet when all is well, and safe when several run at once: one builds, into a folder of its own that it
// then puts in the place of dist/, and the others wait for it.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...path) => join(root, ...path);
const SOURCES = ['src', 'migrations', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json'];
const STAMP = at('dist', '.built');
const LOCK = at('.build-lock');
const NEST = at('node_modules', '@nestjs', 'cli', 'bin', 'nest.js');

/** The newest change below `path`, in ms. Folders count: a file that was deleted shows only there. */
function newest(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  const below = readdirSync(path, { withFileTypes: true }).filter(({ name }) => !name.endsWith('.spec.ts'));
  return Math.max(stats.mtimeMs, ...below.map(({ name }) => newest(join(path, name))));
}

function isBuilt() {
  if (process.argv.includes('--force') || !existsSync(STAMP)) return false;
  const builtMs = statSync(STAMP).mtimeMs;
  return SOURCES.every((path) => !existsSync(at(path)) || newest(at(path)) <= builtMs);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/**
 * A lock whose owner died (the file holds its pid) is nobody's. Should two take such a lock over at the same moment, then
 * both build: a waste, and harmless.
 */
function takeLock() {
  for (;;) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const owner = Number(readIfThere(LOCK));
    if (owner && !isAlive(owner)) rmSync(LOCK, { force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function build() {
  const startedAt = new Date();
  const fresh = at(`dist.new-${process.pid}`);
  const config = `tsconfig.build-${process.pid}.json`; // nest takes it relative to the root only
  try {
    writeFileSync(
      at(config),
      JSON.stringify({
        extends: './tsconfig.build.json',
        compilerOptions: { outDir: fresh, tsBuildInfoFile: join(fresh, '.tsbuildinfo') },
      }),
    );
    process.stderr.write('Building PhotoSafe …\n');
    const { status, stdout, stderr } = spawnSync(process.execPath, [NEST, 'build', '--path', config], {
      cwd: root,
      encoding: 'utf8',
    });
    if (status !== 0) {
      process.stderr.write(`${stdout}${stderr}\nphotosafe: the build failed\n`);
      return 1;
    }
    // As of the start: what was changed during the build is built by the next run.
    writeFileSync(join(fresh, '.built'), '');
    utimesSync(join(fresh, '.built'), startedAt, startedAt);
    putInPlace(fresh);
    return 0;
  } finally {
    rmSync(at(config), { force: true });
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** A running PhotoSafe loads parts of dist/ late: it is gone for the time between two renames only. */
function putInPlace(fresh) {
  const old = at(`dist.old-${process.pid}`);
  for (let tries = 1; ; tries += 1) {
    try {
      if (existsSync(at('dist'))) renameSync(at('dist'), old);
      renameSync(fresh, at('dist'));
      return;
    } catch (error) {
      if (tries === 5) throw error; // somebody else put theirs in place in between, again and again
    } finally {
      rmSync(old, { recursive: true, force: true });
    }
  }
}

function main() {
  if (isBuilt()) return 0;
  if (!existsSync(NEST)) {
    // An installation without development dependencies comes with dist/ and has nothing to build it with.
    if (existsSync(at('dist', 'src', 'cli.js'))) return 0;
    process.stderr.write('photosafe: it is not built, and the tools to build it are not installed: run npm ci\n');
    return 1;
  }
  takeLock();
  try {
    return isBuilt() ? 0 : build();
  } finally {
    if (readIfThere(LOCK) === String(process.pid)) rmSync(LOCK, { force: true });
  }
}

process.exitCode = main();
