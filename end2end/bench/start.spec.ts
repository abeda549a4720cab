/** The release binary on an empty folder: how soon it answers, what it holds when nobody asks. */
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/server';
import { ROUNDS, limit } from './ledger';
import { median, quiet, residentBytes } from './measure';
import { start as startPinned } from './pinned';
import { MIB, test } from './stage';

/** Whether a page is answered now. */
function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    http
      .get({ host: '127.0.0.1', port, path: '/', agent: false }, (answer) => {
        answer.resume();
        done(answer.statusCode === 200);
      })
      .on('error', () => done(false));
  });
}

/** Seconds from the start to the first page, and MiB once at rest. */
async function start(): Promise<{ seconds: number; idle: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'mini-webinar-start-'));
  const port = await freePort();
  const started = performance.now();
  const child = startPinned(process.env.MW_BIN!, ['serve'], {
    cwd: folder,
    stdio: 'ignore',
    env: { PATH: process.env.PATH, HOME: folder, MW_ADDR: `127.0.0.1:${port}`, MW_DATA_DIR: join(folder, 'data'), ...(process.env.MW_SITE ? { MW_SITE_DIR: process.env.MW_SITE } : {}) },
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    await new Promise((wait) => setTimeout(wait, 2));
  }
  const seconds = (performance.now() - started) / 1000;
  await quiet(child.pid!);
  const idle = residentBytes(child.pid!) / MIB;
  child.kill('SIGTERM');
  await ended;
  rmSync(folder, { recursive: true, force: true });
  return { seconds, idle };
}

test('start on an empty folder', async () => {
  const seen: { seconds: number; idle: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) seen.push(await start());
  limit({ what: 'start on an empty folder, to the first page', unit: 's', ours: median(seen.map(({ seconds }) => seconds)) }, { atMost: 2 });
  limit({ what: 'idle after the first page, resident', unit: 'MiB', ours: median(seen.map(({ idle }) => idle)) }, { atMost: 60 });
});
