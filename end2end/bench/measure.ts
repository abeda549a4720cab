/** What a process costs, and whole answers to single requests. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Every process started, directly or not, by one, itself included. */
function family(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It ended while we looked.
    }
  }
  const found = [pid];
  for (let at = 0; at < found.length; at += 1) {
    for (const [child, parent] of parents) if (parent === found[at]) found.push(child);
  }
  return found;
}

/** User and system time of a process and its children, those that have ended included, in seconds. */
export function cpuSeconds(pid: number): number {
  let ticks = 0;
  for (const member of family(pid)) {
    try {
      const stat = readFileSync(`/proc/${member}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      // utime, stime, and the same of children waited for.
      for (const field of [11, 12, 13, 14]) ticks += Number(fields[field]);
    } catch {
      // It ended while we looked.
    }
  }
  return ticks / TICKS;
}

/** Largest resident size so far, in bytes. */
export function peakBytes(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}

/** Resident size of a process and its children now, in bytes. */
export function residentBytes(pid: number): number {
  return family(pid).reduce((sum, member) => sum + Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${member}/status`, 'utf8'))?.[1] ?? 0) * 1024, 0);
}

/** Waits until a process is at rest. */
export async function quiet(pid: number): Promise<void> {
  for (let calm = 0, before = cpuSeconds(pid); calm < 3; ) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const now = cpuSeconds(pid);
    calm = now - before < 0.01 ? calm + 1 : 0;
    before = now;
  }
}

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** One request; the body is kept only when asked for. */
export function ask(agent: http.Agent, url: string, headers: Record<string, string>, keep = false): Promise<Answer & { bytes: number }> {
  return new Promise((resolve, reject) => {
    http
      .get(url, { agent, headers }, (answer) => {
        const pieces: Buffer[] = [];
        let bytes = 0;
        answer.on('data', (piece: Buffer) => {
          bytes += piece.length;
          if (keep) pieces.push(piece);
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(pieces), bytes }));
        answer.on('error', reject);
      })
      .on('error', reject);
  });
}

/** Runs `count` askings over a few connections. */
export async function many(connections: number, count: number, one: (agent: http.Agent, index: number) => Promise<void>): Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  let next = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (next < count) await one(agent, next++);
    }),
  );
  agent.destroy();
}

/** The value below which a share of all values lies. */
export function percentile(values: Float64Array | number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** The same numbers in every run. */
export function dice(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
