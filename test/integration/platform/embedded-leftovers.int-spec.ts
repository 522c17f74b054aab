import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processFacts } from '../../../src/platform/database/embedded/process-facts.js';
import { waitFor } from '../../support/wait-for.js';
import { ask, EmbeddedFixture, leave, SLOW } from './embedded-fixture.js';

describe('an embedded PostgreSQL whose postmaster.pid tells a lie', () => {
  let fixture: EmbeddedFixture;
  let strangers: ChildProcess[];

  beforeEach(async () => {
    strangers = [];
    fixture = await EmbeddedFixture.create();
    const first = await fixture.attached();
    await first.kill('SIGKILL');
    await fixture.killPostmaster();
  });

  afterEach(async () => {
    for (const stranger of strangers) {
      stranger.kill('SIGKILL');
      if (stranger.exitCode === null && stranger.signalCode === null) await once(stranger, 'exit');
    }
    await fixture.cleanUp();
  });

  async function claim(pid: number): Promise<void> {
    const file = join(fixture.cluster, 'postmaster.pid');
    await writeFile(file, (await readFile(file, 'utf8')).replace(/^\d+/, String(pid)));
  }

  async function startsAgain(): Promise<void> {
    const program = await fixture.attached();
    await ask(program);
    await leave(program);
  }

  it('starts when the number is that of nobody', async () => {
    await startsAgain();
  });

  it('starts when the number now belongs to another process of the same user, and leaves that one alone', async () => {
    const stranger = spawn('sleep', ['600'], await fixture.clusterOwner());
    strangers.push(stranger);
    await once(stranger, 'spawn');
    await claim(stranger.pid!);
    await startsAgain();
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
  });

  it('starts when the number belongs to a dead process that its parent never collects', async () => {
    // The child ends once its parent is no longer the shell, which might have collected it, but sleep, which does not.
    const script = '(until grep -q sleep /proc/$$/comm; do :; done) & echo $!; exec sleep 600';
    const parent = spawn('sh', ['-c', script], await fixture.clusterOwner());
    strangers.push(parent);
    const [output] = (await once(parent.stdout, 'data')) as [Buffer];
    const zombie = Number(output.toString());
    await waitFor('a zombie', async () => (await processFacts(zombie)).state === 'zombie');
    await claim(zombie);
    await startsAgain();
  });

  it('says why when it cannot start, with what the server says of it', async () => {
    await writeFile(join(fixture.cluster, 'postgresql.conf'), 'no_such_setting = 1\n');
    const program = fixture.program();
    expect(await program.line(/embedded_postgres_failed|did not start/, SLOW)).toMatch(/did not start/);
    await program.ended;
    expect(program.lines.join('\n')).toMatch(/no_such_setting/);
  });
});
