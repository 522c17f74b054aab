// The checker of bench/chaos on the database of a URL; a line of JSON on standard input names the acknowledged tasks.
import { text } from 'node:stream/consumers';
import { readRows, violations } from '../../../bench/chaos/check.mjs';
import { query } from '../../../bench/harness/postgres.mjs';

const [url] = process.argv.slice(2);
const tasks = JSON.parse(await text(process.stdin));
const rows = await readRows((sql) => query(url, sql));
process.stdout.write(`${JSON.stringify(violations(rows, { tasks, workflows: [] }))}\n`);
