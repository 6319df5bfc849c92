import type { Count } from './suite.ts';

/** The score as a Markdown table. */
export function table(counts: Map<string, Count>): string {
  const rows = [...counts].map(([kind, { runs, faults, divergences }]) => [kind, runs, faults, divergences]);
  const sums = [1, 2, 3].map((column) => rows.reduce((sum, row) => sum + Number(row[column]), 0));
  const all = [['kind', 'runs', 'faults injected', 'divergences'], ...rows, ['all', ...sums]];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => String(row[column]).length)));
  const line = (row: (string | number)[]) =>
    `| ${row.map((cell, column) => pad(cell, widths[column] ?? 0, column > 0)).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => `${'-'.repeat(width + 1)}${column > 0 ? ':' : '-'}`).join('|')}|`;
  const [head = [], ...body] = all;
  return [line(head), rule, ...body.map(line)].join('\n');
}

function pad(cell: string | number, width: number, right: boolean): string {
  return right ? String(cell).padStart(width) : String(cell).padEnd(width);
}
