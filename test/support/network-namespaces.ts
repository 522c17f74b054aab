import { execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { Child, PROJECT_ROOT } from './child.js';

const PREFIX = 'photosafe-test-';
const NETWORK = '10.203.77';
const run = promisify(execFile);
const ip = (...args: string[]) => run('ip', args);

/** Why there can be no networks of one's own here, or undefined. */
export function namespacesMissing(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux may make networks';
  const probe = `${PREFIX}${String(process.pid)}-probe`;
  try {
    execFileSync('ip', ['netns', 'add', probe], { stdio: 'pipe' });
    execFileSync('ip', ['netns', 'del', probe], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `no network namespaces here (Debian: apt-get install iproute2): ${(error as Error).message}`;
  }
}

/**
 * Hosts on a network of their own: network namespaces, each with a cable to a switch in one more. Nothing of it shows outside of
 * them, and nothing outside can be reached from within.
 */
export class Network {
  readonly hub = { name: 'hub', address: `${NETWORK}.1` };
  readonly range = `${NETWORK}.0/24`;
  private readonly hosts = new Map<string, string>();
  private readonly children: Child[] = [];
  private readonly prefix = `${PREFIX}${String(process.pid)}-${randomBytes(3).toString('hex')}-`;

  static async of(...hosts: string[]): Promise<Network> {
    await sweep();
    const network = new Network();
    try {
      await network.build(hosts);
      return network;
    } catch (error) {
      await network.remove();
      throw error;
    }
  }

  /** Starts one of the project's programs on a host, until the network is removed. */
  start(host: string, args: readonly string[], env: Readonly<Record<string, string>>): Child {
    const command = ['netns', 'exec', this.namespace(host), process.execPath, '--no-deprecation', ...args];
    // `ip netns exec` becomes the program: the pid is its own.
    return new Child(
      spawn('ip', command, { cwd: PROJECT_ROOT, stdio: 'pipe', env: { PATH: process.env.PATH, ...env } }),
    );
  }

  address(host: string): string {
    const address = this.hosts.get(host);
    if (address === undefined) throw new Error(`there is no host ${host}`);
    return address;
  }

  /** Pulls the host's cable out of the switch. */
  unplug(host: string): Promise<unknown> {
    return ip('-n', this.namespace('hub'), 'link', 'set', cableTo(host), 'down');
  }

  plugIn(host: string): Promise<unknown> {
    return ip('-n', this.namespace('hub'), 'link', 'set', cableTo(host), 'up');
  }

  /** What the host sends still arrives; what is sent to it disappears, and nobody is told. */
  deafen(host: string): Promise<unknown> {
    return ip('-n', this.namespace('hub'), 'route', 'add', 'blackhole', `${this.address(host)}/32`);
  }

  restoreHearing(host: string): Promise<unknown> {
    return ip('-n', this.namespace('hub'), 'route', 'del', 'blackhole', `${this.address(host)}/32`);
  }

  /** With all that runs on its hosts. */
  async remove(): Promise<void> {
    await Promise.all(this.children.map((child) => child.kill()));
    for (const host of [...this.hosts.keys(), 'hub']) await removeNamespace(this.namespace(host));
  }

  private async build(hosts: readonly string[]): Promise<void> {
    const hub = this.namespace('hub');
    await ip('netns', 'add', hub);
    await ip('-n', hub, 'link', 'set', 'lo', 'up');
    await ip('-n', hub, 'link', 'add', 'switch', 'type', 'bridge');
    await ip('-n', hub, 'addr', 'add', `${this.hub.address}/24`, 'dev', 'switch');
    await ip('-n', hub, 'link', 'set', 'switch', 'up');
    for (const [index, host] of hosts.entries()) {
      const namespace = this.namespace(host);
      this.hosts.set(host, `${NETWORK}.${String(index + 2)}`);
      await ip('netns', 'add', namespace);
      await ip('-n', hub, 'link', 'add', cableTo(host), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
      await ip('-n', hub, 'link', 'set', cableTo(host), 'master', 'switch', 'up');
      await ip('-n', namespace, 'link', 'set', 'lo', 'up');
      await ip('-n', namespace, 'addr', 'add', `${this.address(host)}/24`, 'dev', 'eth0');
      await ip('-n', namespace, 'link', 'set', 'eth0', 'up');
    }
  }

  private namespace(host: string): string {
    return this.prefix + host;
  }
}

const cableTo = (host: string): string => `to-${host}`;

/** A test run that was killed leaves its networks behind, and whatever runs in them. */
async function sweep(): Promise<void> {
  const { stdout } = await ip('netns', 'list');
  for (const line of stdout.split('\n')) {
    const [name = ''] = line.split(' ');
    const [, pid] = new RegExp(`^${PREFIX}(\\d+)-`).exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) await removeNamespace(name);
  }
}

async function removeNamespace(name: string): Promise<void> {
  const { stdout } = await ip('netns', 'pids', name).catch(() => ({ stdout: '' }));
  for (const pid of stdout.split('\n').filter((line) => line !== '')) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // it has ended meanwhile
    }
  }
  await ip('netns', 'del', name).catch(() => undefined); // never made
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
