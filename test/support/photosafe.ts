import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Child, PROJECT_ROOT } from './child.js';

const PROGRAM = join(PROJECT_ROOT, 'bin', 'photosafe.js');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function program(args: readonly string[], environment: Readonly<Record<string, string>>): ReturnType<typeof spawn> {
  if (!existsSync(join(PROJECT_ROOT, 'dist'))) throw new Error('dist/ is missing: node bin/build-if-needed.js');
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...environment };
  return spawn(process.execPath, [PROGRAM, ...args], { cwd: PROJECT_ROOT, stdio: 'pipe', env });
}

/** Runs `photosafe …` of the build to its end, as a user would, with nothing in its environment but what is given. */
export async function photosafe(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const child = program(args, environment);
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const read = async (stream: Readable | null): Promise<string> => (stream === null ? '' : text(stream));
  const [stdout, stderr] = await Promise.all([read(child.stdout), read(child.stderr)]);
  return { code: await ended, stdout, stderr };
}

/** Starts `photosafe …` of the build, for tests that watch or end it. */
export const startPhotosafe = (args: readonly string[], environment: Readonly<Record<string, string>> = {}): Child =>
  new Child(program(args, environment));
