import { median, rounded } from './statistics.mjs';

/**
 * One line of the outcome. `ratio` > 1 means that we are ahead of the best peer, whichever way the unit points.
 *
 * @param {{ name: string, unit: string, better: 'more' | 'less', ours: number | undefined, peers: Record<string, number> }} figures
 */
export function result({ name, unit, better, ours, peers }) {
  const figures = Object.values(peers);
  const best = better === 'more' ? Math.max(...figures) : Math.min(...figures);
  const ratio = ours === undefined || figures.length === 0 ? null : ahead(better, ours, best);
  return line({ name, unit, ours, peers, ratio });
}

/**
 * A line of what was measured in rounds, once in each for ours and for its one peer. The ratio is the median of those of the
 * rounds: both halves of one met the same neighbours on the machine, those of different ones did not.
 *
 * @param {{ name: string, unit: string, better: 'more' | 'less', peer: string, rounds: { ours: number, peer: number }[] }} figures
 */
export function pairedResult({ name, unit, better, peer, rounds }) {
  return line({
    name,
    unit,
    ours: median(rounds.map((round) => round.ours)),
    peers: { [peer]: median(rounds.map((round) => round.peer)) },
    ratio: median(rounds.map((round) => ahead(better, round.ours, round.peer))),
  });
}

const ahead = (better, ours, peer) => (better === 'more' ? ours / peer : peer / ours);

function line({ name, unit, ours, peers, ratio }) {
  return {
    name,
    ours: ours === undefined ? null : rounded(ours),
    unit,
    peers: Object.fromEntries(Object.entries(peers).map(([peer, figure]) => [peer, rounded(figure)])),
    ratio: ratio === null ? null : rounded(ratio),
  };
}

export function formatTable({ bench, machine, results }) {
  const peers = [...new Set(results.flatMap((line) => Object.keys(line.peers)))];
  const head = ['', 'unit', 'ours', ...peers, 'ratio'];
  const rows = results.map((line) => [
    line.name,
    line.unit,
    show(line.ours),
    ...peers.map((peer) => show(line.peers[peer])),
    show(line.ratio),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  const format = (row) =>
    row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  ');
  const about = Object.entries(machine).map(
    ([key, value]) => `${key}: ${typeof value === 'object' ? JSON.stringify(value) : value}`,
  );
  return [`${bench}  (ratio > 1: ahead of the best peer)`, '', format(head), ...rows.map(format), '', ...about].join(
    '\n',
  );
}

function show(figure) {
  return figure === null || figure === undefined ? '–' : figure.toLocaleString('en-US');
}
