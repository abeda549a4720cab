/** Empties the table before the bench and prints it after. */
import { QUICK, emptyTable, table, type Row } from './ledger';

const VERDICT = new Map([
  [true, 'yes'],
  [false, 'NO'],
  [null, ''],
]);

const shown = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3))));

function cells(row: Row): string[] {
  return [row.what, row.unit, shown(row.ours), row.beside, shown(row.theirs), shown(row.ratio), row.goal, VERDICT.get(row.met) ?? ''];
}

function print(): void {
  const { processor, cores, rounds, rows } = table();
  const lines = [['what', 'unit', 'ours', 'beside', 'theirs', 'ratio', 'goal', 'met'], ...rows.map(cells)];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  console.log(`\n${processor}, ${cores} cores, ${rounds} rounds${QUICK ? ' — a trial of the bench, the figures mean nothing' : ''}\n`);
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)));
  for (const line of lines) console.log(`| ${line.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`);
  const goals = rows.filter((row) => row.met !== null);
  console.log(`\n${goals.filter((row) => row.met).length} of ${goals.length} goals met; the same table: end2end/test-results/bench.json`);
}

export default function begin(): () => void {
  emptyTable();
  return print;
}
