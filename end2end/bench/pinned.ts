/** Programs on the server's core. */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';

/** The core the server and its peers share; the load comes from another. */
export const CORE = process.env.MW_BENCH_CORE ?? '0';

/** Words that start a program on the server's core. */
export const pinned = (command: string, words: string[]): [string, string[]] => ['taskset', ['-c', CORE, command, ...words]];

const running = new Set<ChildProcess>();
// A measurement that fails leaves nothing running behind.
process.once('exit', () => running.forEach((child) => child.kill()));

/** Starts a program on the server's core; it ends with this process at the latest. */
export function start(command: string, words: string[], options: SpawnOptions): ChildProcess {
  const child = spawn(...pinned(command, words), options);
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}
