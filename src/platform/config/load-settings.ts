import { parse } from 'dotenv';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { invalid } from '../errors/app-error.js';
import type { Environment } from './database-url.js';
import { settingsFrom, type Settings } from './settings.js';

/**
 * The settings of this process: `overrides` (options of the command line), beneath them its environment, and beneath
 * that the file .env of the working folder.
 */
export function loadSettings(overrides: Environment = {}): Settings {
  return settingsFrom({ ...readDotEnv(resolve('.env')), ...process.env, ...overrides });
}

/** What programs that PhotoSafe starts may see of its environment: nothing that could be a secret. */
export function childEnvironment(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'NODE_EXTRA_CA_CERTS'];
  return Object.fromEntries(
    kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

function readDotEnv(path: string): Environment {
  try {
    return parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw invalid('bad_settings', `${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
