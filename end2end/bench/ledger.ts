/**
 * The table: one row a figure, beside what it is measured against. Rows go to disk as they come, because Playwright
 * starts a new process after a test that failed.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';

/** `MW_BENCH_QUICK=1` tries the bench itself: one short round. Its figures mean nothing. */
export const QUICK = process.env.MW_BENCH_QUICK === '1';
/** Rounds of A, B, A, B …; a figure is their median. */
export const ROUNDS = QUICK ? 1 : 5;
/** Seconds of one turn, shortened when only the bench is tried. */
export const turn = (seconds: number): number => (QUICK ? Math.min(1, seconds) : seconds);

export interface Row {
  what: string;
  unit: string;
  ours: number;
  /** What `theirs` is of: a peer, or the limit itself. */
  beside: string;
  theirs: number;
  /** ours / theirs; beside a limit of none, ours itself. */
  ratio: number;
  /** Empty: shown for comparison only. */
  goal: string;
  met: boolean | null;
}

export interface Table {
  processor: string;
  cores: number;
  rounds: number;
  rows: Row[];
}

const FILE = resolve('test-results/bench.json');

export function emptyTable(): void {
  mkdirSync(resolve('test-results'), { recursive: true });
  write({ processor: cpus()[0]?.model ?? 'unknown', cores: cpus().length, rounds: ROUNDS, rows: [] });
}

export const table = (): Table => JSON.parse(readFileSync(FILE, 'utf8')) as Table;

function write(content: Table): void {
  writeFileSync(FILE, JSON.stringify(content, null, 2));
}

function add(row: Row): void {
  const soFar = table();
  soFar.rows.push(row);
  write(soFar);
}

type Bound = { atMost: number } | { atLeast: number };
const holds = (value: number, bound: Bound): boolean => ('atMost' in bound ? value <= bound.atMost : value >= bound.atLeast);
const spoken = (bound: Bound): string => ('atMost' in bound ? `≤ ${bound.atMost}` : `≥ ${bound.atLeast}`);

interface Figure {
  what: string;
  unit: string;
  ours: number;
}

/** A goal for the ratio of ours to a peer's. */
export function compare(figure: Figure & { beside: string; theirs: number }, bound: Bound): void {
  const ratio = figure.ours / figure.theirs;
  add({ ...figure, ratio, goal: `${spoken(bound)} ×`, met: holds(ratio, bound) });
}

/** A goal for the figure itself. */
export function limit(figure: Figure, bound: Bound): void {
  const theirs = Object.values(bound)[0] as number;
  add({ ...figure, beside: 'the limit', theirs, ratio: theirs === 0 ? figure.ours : figure.ours / theirs, goal: `${spoken(bound)} ${figure.unit}`, met: holds(figure.ours, bound) });
}

/** A peer's figure worth seeing, without a goal. */
export function note(figure: Figure & { beside: string; theirs: number }): void {
  add({ ...figure, ratio: figure.ours / figure.theirs, goal: '', met: null });
}
