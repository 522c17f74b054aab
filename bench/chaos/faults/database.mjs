/** The postmaster dies: its children end, and the next one goes through crash recovery. */
export const databaseKill = {
  name: 'database-kill',
  weight: 2,
  everybody: true,
  strike: (run) => end(run, 'SIGKILL'),
};

/** A fast shutdown, as an upgrade does. */
export const databaseRestart = {
  name: 'database-restart',
  weight: 2,
  everybody: true,
  strike: (run) => end(run, 'SIGINT'),
};

async function end({ server }, signal) {
  const at = Date.now();
  server.signal(signal);
  await server.ready();
  return { at };
}
