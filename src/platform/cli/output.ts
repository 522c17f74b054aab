import type { BaseOptions } from './base.command.js';

/** Prints a command's result: the document as JSON with --json, else what `render` makes of it. */
export async function printResult(
  { json = false }: BaseOptions,
  document: unknown,
  render: () => string | Promise<string>,
): Promise<void> {
  const text = json ? JSON.stringify(document, undefined, 2) : await render();
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Says something beside the result: on standard error, which leaves standard output to the result alone. */
export const note = (text: string): void => void process.stderr.write(`${text}\n`);

export type Cell = string | number | Date | null | undefined;

/** A table with borders on a terminal; elsewhere one line a row, cells apart by tabs, for cut and awk. */
export async function table(head: readonly string[], rows: readonly (readonly Cell[])[]): Promise<string> {
  const cells = rows.map((row) => row.map(cellText));
  if (!process.stdout.isTTY) return [head, ...cells].map((row) => row.map(oneLine).join('\t')).join('\n');
  const { default: Table } = await import('cli-table3');
  const boxed = new Table({ head: [...head], style: { head: [], border: [] } });
  boxed.push(...cells);
  return boxed.toString();
}

function cellText(cell: Cell): string {
  if (cell === null || cell === undefined) return '-';
  return cell instanceof Date ? cell.toISOString().replace(/\.\d+Z$/, 'Z') : String(cell);
}

const oneLine = (text: string): string => text.replace(/[\t\r\n]+/g, ' ');
