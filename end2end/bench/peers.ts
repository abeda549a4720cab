/** Peers that run on Node, on the server's core, and what is read from their packages. */
import { execFileSync, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { freePort } from '../support/server';
import { pinned, start } from './pinned';

/** Where the peers are installed and built. */
export const PEERS = process.env.MW_PEERS ?? resolve('bench/peers');

const START_TRIES = 200;

export class Peer {
  private constructor(
    readonly url: string,
    private readonly process: ChildProcess,
  ) {}

  get pid(): number {
    return this.process.pid!;
  }

  /** Starts a script of the peers' folder; `words` get the port it is to listen on. */
  static async start(script: string, words: (port: number) => string[], environment: (port: number) => Record<string, string> = () => ({})): Promise<Peer> {
    const port = await freePort();
    const child = start(process.execPath, [join(PEERS, script), ...words(port)], {
      cwd: PEERS,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'production', ...environment(port) },
    });
    const peer = new Peer(`http://127.0.0.1:${port}`, child);
    for (let tries = 0; !(await fetch(peer.url).then(() => true, () => false)); tries += 1) {
      if (tries > START_TRIES || child.exitCode !== null) throw new Error(`${script} did not start`);
      await new Promise((wake) => setTimeout(wake, 100));
    }
    return peer;
  }

  stop(): void {
    this.process.kill('SIGTERM');
  }
}

/** Runs a script of the peers' folder on the server's core and reads the JSON it prints. */
export function run<T>(script: string, words: string[]): T {
  return JSON.parse(execFileSync(...pinned(process.execPath, [join(PEERS, script), ...words]), { encoding: 'utf8' })) as T;
}

interface Statement {
  all(...values: unknown[]): unknown[];
  run(...values: unknown[]): unknown;
}
export interface Sqlite {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

/** Opens a SQLite database with the library the peers use. */
export function sqlite(file: string, options: { readonly?: boolean } = {}): Sqlite {
  const Database = createRequire(join(PEERS, 'package.json'))('better-sqlite3') as new (file: string, options: object) => Sqlite;
  return new Database(file, options);
}
