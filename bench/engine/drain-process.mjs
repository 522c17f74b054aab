/** How often a process says how much it has done: often against seconds of draining, seldom against its work. */
const REPORT_MS = 20;

/** One of several processes that drain a queue together: opens its contender, then starts and stops when told to. */
process.once('message', async ({ module, connection }) => {
  const { open } = await import(module);
  const contender = await open({ connection, purpose: 'throughput' });
  let done = 0;
  let reported = 0;
  setInterval(() => {
    if (done === reported) return;
    reported = done;
    process.send({ done });
  }, REPORT_MS);
  process.on('message', async (order) => {
    try {
      if (order === 'start') await contender.start((tasks) => (done += tasks));
      if (order === 'stop') await contender.stop();
      process.send({ obeyed: order });
    } catch (error) {
      process.send({ error: error.stack ?? String(error) });
    }
  });
  process.send({ obeyed: 'open' });
});
