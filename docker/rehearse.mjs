// Rehearses docker/Dockerfile on a machine without a Docker engine: every stage becomes a folder, COPY copies what
// .dockerignore lets through, RUN runs there, and the last stage's ENTRYPOINT is started as another user, asked by its own
// HEALTHCHECK and stopped with its STOPSIGNAL, after which it must exit with 0.
//
// Usage: node docker/rehearse.mjs (the Node of the image should run it). What it cannot show: that the base image has what
// we need, and file system isolation. Absolute paths of the image (/app, /data) are mapped into the stage's folder.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const context = resolve(import.meta.dirname, '..');
const IMAGE_PATH = /(?<=^|[\s=:'"])\/(app|data)(?=$|[\s/'":])/g;
/** `nobody`: stands for the image's unprivileged user, whatever its name. Only root can become somebody else. */
const ORDINARY_USER = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
const HEALTHY_WITHIN_MS = 120_000;
const STOPPED_WITHIN_MS = 30_000;

/** [['FROM', 'node:24 AS build'], …]: comments dropped, continued lines joined. */
function instructionsOf(dockerfile) {
  return dockerfile
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => [line.slice(0, line.indexOf(' ')).toUpperCase(), line.slice(line.indexOf(' ') + 1).trim()]);
}

/** The last pattern of .dockerignore that matches decides; a pattern also covers what is below it. */
function ignored(path) {
  let verdict = false;
  for (const line of readFileSync(join(context, '.dockerignore'), 'utf8').split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const pattern = line.replace(/^!/, '').replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
    const source = pattern.replaceAll('**/', '\0').replaceAll('*', '[^/]*').replaceAll('\0', '(?:.*/)?');
    if (new RegExp(`^${source}(?:/|$)`).test(path)) verdict = !line.startsWith('!');
  }
  return verdict;
}

function copy(stage, args, stages) {
  const words = args.split(/\s+/);
  const from = words[0].startsWith('--from=') ? words.shift().slice('--from='.length) : undefined;
  const destination = words.pop();
  for (const word of words) {
    const source = from === undefined ? join(context, word) : join(stages.get(from).root, word);
    if (from === undefined && ignored(word)) throw new Error(`COPY ${word}: .dockerignore keeps it out of the build`);
    if (!existsSync(source)) throw new Error(`COPY ${word}: no such file`);
    const intoFolder = destination.endsWith('/') || words.length > 1;
    const target = join(stage.root, stage.workdir, destination, intoFolder ? basename(source) : '');
    const filter = (path) => from !== undefined || path === source || !ignored(relative(context, path));
    cpSync(source, target, { recursive: true, filter, verbatimSymlinks: true });
  }
}

function run(stage, command) {
  const { uid } = ORDINARY_USER;
  const mapped = command
    .replaceAll(IMAGE_PATH, (path) => join(stage.root, path))
    .replaceAll(/\bchown node:node\b/g, uid === undefined ? 'true' : `chown ${uid}:${uid}`);
  const options = { cwd: join(stage.root, stage.workdir), shell: true, encoding: 'utf8', env: environmentOf(stage) };
  const { status, stdout, stderr } = spawnSync(mapped, options);
  if (status !== 0) throw new Error(`RUN ${command}: exit code ${status}\n${stdout}${stderr}`);
}

function environmentOf(stage) {
  const inherited = Object.entries(process.env).filter(([name]) =>
    /^(PATH|HOME|npm_config_(cache|prefer_offline))$/.test(name),
  );
  return { ...Object.fromEntries(inherited), ...stage.env };
}

function build(folder) {
  const stages = new Map();
  let stage;
  for (const [name, args] of instructionsOf(readFileSync(join(context, 'docker/Dockerfile'), 'utf8'))) {
    const startedAt = Date.now();
    if (name === 'FROM') {
      const [, base, alias] = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(args);
      stage = { root: join(folder, alias), workdir: '/', env: {}, base };
      mkdirSync(stage.root);
      stages.set(alias, stage);
    } else if (name === 'COPY') copy(stage, args, stages);
    else if (name === 'RUN') run(stage, args);
    else if (name === 'WORKDIR') mkdirSync(join(stage.root, (stage.workdir = args)), { recursive: true });
    else if (name === 'ENV') stage.env[args.split('=')[0]] = args.slice(args.indexOf('=') + 1);
    else if (name === 'HEALTHCHECK') stage.healthcheck = JSON.parse(args.slice(args.indexOf('CMD ') + 4));
    else if (['USER', 'EXPOSE', 'STOPSIGNAL'].includes(name)) stage[name.toLowerCase()] = args;
    else if (['ENTRYPOINT', 'CMD', 'VOLUME'].includes(name)) stage[name.toLowerCase()] = JSON.parse(args);
    else throw new Error(`${name}: not rehearsed`);
    console.log(`${name} ${args} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`);
  }
  return stage;
}

async function start(image) {
  if (image.user === undefined || image.user === 'root') throw new Error('the image runs as root');
  for (const [key, value] of Object.entries(image.env)) {
    image.env[key] = value.replaceAll(IMAGE_PATH, (path) => join(image.root, path));
  }
  // The image's home folder of its user; and loopback only, as this machine is not a container.
  const env = { ...environmentOf(image), HOME: join(image.root, 'data'), HOST: '127.0.0.1', PORT: '38473' };
  const options = { cwd: join(image.root, image.workdir), env, ...ORDINARY_USER };
  const [program, ...args] = [...image.entrypoint, ...image.cmd];
  const app = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [app.stdout, app.stderr]) stream.on('data', (chunk) => (log += String(chunk)));
  const exited = once(app, 'exit');
  try {
    const deadline = Date.now() + HEALTHY_WITHIN_MS;
    while (spawnSync(image.healthcheck[0], image.healthcheck.slice(1), options).status !== 0) {
      if (Date.now() > deadline || app.exitCode !== null) throw new Error(`never became healthy\n${log}`);
      await delay(250);
    }
    console.log('healthy');
    app.kill(image.stopsignal);
    const code = await Promise.race([exited.then(([exitCode]) => exitCode), delay(STOPPED_WITHIN_MS, 'still running')]);
    if (code !== 0) throw new Error(`${image.stopsignal}: exit code ${code}\n${log}`);
    console.log(`${image.stopsignal}: exit code 0`);
  } finally {
    app.kill('SIGKILL');
  }
}

const folder = mkdtempSync(join(tmpdir(), 'photosafe-image-'));
chmodSync(folder, 0o755);
try {
  const image = build(folder);
  await start(image);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
