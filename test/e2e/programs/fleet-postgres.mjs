// A PostgreSQL that listens on the address of a bridge, for the processes of a fleet. Arguments: an empty folder, the address,
// the network. Says its URL by the folder's socket and by the network; ends with its standard input.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { binaries, query, serverOwner } from '../../../bench/harness/postgres.mjs';

const [folder, address, network] = process.argv.slice(2);
const PASSWORD = 'fleet';
const { initdb, postgres } = await binaries();
const owner = await serverOwner();
const run = { ...owner, cwd: '/', env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', TZ: 'UTC' } };
const data = join(folder, 'data');
const passwordFile = join(folder, 'password');
await writeFile(passwordFile, PASSWORD);
await chmod(folder, 0o755);
if (owner) for (const path of [folder, passwordFile]) await chown(path, owner.uid, owner.gid);
const flags = ['-U', 'fleet', '--pwfile', passwordFile, '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C.UTF-8'];
await promisify(execFile)(initdb, ['-D', data, ...flags, '--no-sync'], run);
await appendFile(join(data, 'pg_hba.conf'), `host all all ${network} scram-sha-256\n`);
const options = ['listen_addresses', address, 'unix_socket_directories', folder, 'shared_buffers', '64MB'];
const args = options.flatMap((name, index) => (index % 2 === 0 ? ['-c', `${name}=${options[index + 1]}`] : []));
const server = spawn(postgres, ['-D', data, ...args], { ...run, stdio: ['ignore', 'ignore', 'inherit'] });
const stop = async () => {
  server.kill('SIGQUIT');
  if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  process.exit(0);
};
process.stdin.resume().once('end', stop);
process.once('SIGTERM', stop);
server.once('exit', (code) => process.exit(code ?? 1));

const local = `postgres://fleet:${PASSWORD}@localhost/postgres?host=${encodeURIComponent(folder)}`;
while (!(await query(local, 'SELECT 1').catch(() => undefined))) await sleep(50);
const url = `postgres://fleet:${PASSWORD}@${address}:5432/postgres`;
process.stdout.write(`${JSON.stringify({ local, url })}\n`);
