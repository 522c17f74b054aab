// Sends requests from wherever it runs: a line {method, url, body} of JSON in, a line {status, body} out.
import { createInterface } from 'node:readline';

for await (const line of createInterface({ input: process.stdin })) {
  const { method, url, token, body } = JSON.parse(line);
  const answer = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', connection: 'close' },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  })
    .then(async (response) => ({ status: response.status, body: await response.json() }))
    .catch((error) => ({ status: 0, body: { error: error.message } }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
