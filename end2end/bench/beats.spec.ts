/** Watch beats: what an acknowledgement costs, how long it takes at a constant rate, and that none is lost. */
import { join } from 'node:path';
import { Server } from '../support/server';
import { confirmedCoach, publishedWebinar } from '../support/story';
import { Beats, crowd } from './crowd';
import { QUICK, ROUNDS, compare, limit, note, turn } from './ledger';
import { cpuSeconds, median, percentile, quiet } from './measure';
import { Nginx } from './nginx';
import { run, sqlite } from './peers';
import { expect, test } from './stage';
import { flood, pace, type Paced } from './wire';

/** Viewers, each a registration of its own with a watch map of its own: enough for no batch to meet one twice. */
const VIEWERS = QUICK ? 100 : 3_000;
/** Beats waiting for an answer at once, and so at most in one transaction. */
const CONNECTIONS = 256;
/** The rate whose tail counts, and the rate of ten thousand viewers. */
const RUSH = QUICK ? 500 : 5_000;
const USUAL = QUICK ? 100 : 1_000;
/** Length of the sample recording. */
const DURATION_SECONDS = 180;
/** Beyond this the asking side was not punctual enough for its figures to say anything. */
const LATENESS_MS = 5;

let server: Server;
let nginx: Nginx;
let beats: Beats;

test.beforeAll(async ({ browser, stage }) => {
  test.setTimeout(300_000);
  // A server of its own: the other measurements should not meet thousands of registrants.
  server = await Server.start('bench-beats');
  const page = await browser.newPage({ baseURL: server.url });
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page);
  await page.context().close();
  const started = performance.now();
  const views = await crowd(server, webinar.slug, VIEWERS);
  await quiet(server.pid);
  console.log(`${views.length} viewers registered, mailed and in their rooms after ${((performance.now() - started) / 1000).toFixed(0)} s`);
  beats = new Beats(server, views, DURATION_SECONDS);
  nginx = await Nginx.start(stage.folder, 'off');
});

test.afterAll(async () => {
  nginx?.stop();
  await server?.stop();
});

/** A beat that was not acknowledged means that these turns measured something else. */
function expectAcknowledged(): void {
  expect([...beats.refused], 'every beat is acknowledged').toEqual([]);
}

interface Inserted {
  rows: number;
  cpuSeconds: number;
}

test('durable acknowledgements for each second of a core', async ({ stage }) => {
  const seen = { ours: [] as number[], answers: [] as number[], inserts: [] as number[], speed: [] as number[] };
  // The peer gets the same requests; it need not know what they mean.
  const deaf = new Beats(server, ['00000000-0000-7000-8000-000000000000'], DURATION_SECONDS);
  const same = deaf.next()!;
  for (let round = 0; round < ROUNDS; round += 1) {
    await beats.refill();
    await quiet(server.pid);
    const seconds = turn(3);
    const cpu = cpuSeconds(server.pid);
    const started = performance.now();
    const acknowledged = await flood(server.url, CONNECTIONS, seconds, beats.next, beats.heard);
    expectAcknowledged();
    seen.speed.push(acknowledged / ((performance.now() - started) / 1000));
    seen.ours.push(acknowledged / (cpuSeconds(server.pid) - cpu));
    const peerCpu = cpuSeconds(nginx.pid);
    const shot = { key: 0, request: same.request.replace('/api/beats', '/204') };
    const answers = await flood(nginx.url, CONNECTIONS, seconds, () => shot, (_, status) => expect(status).toBe(204));
    seen.answers.push(answers / (cpuSeconds(nginx.pid) - peerCpu));
    const inserted = run<Inserted>('inserts.mjs', [join(stage.folder, `inserts-${round}.db`), String(CONNECTIONS), String(turn(2))]);
    seen.inserts.push(inserted.rows / inserted.cpuSeconds);
  }
  console.log(`beats as fast as they are answered: ${median(seen.speed).toFixed(0)} acknowledged a second`);
  const figure = { what: 'watch beats, durable', unit: 'acks / CPU s', ours: median(seen.ours) };
  const peers = [
    { beside: 'nginx, return 204', theirs: median(seen.answers) },
    { beside: `bare SQLite inserts, ${CONNECTIONS} a transaction`, theirs: median(seen.inserts) },
  ].sort((a, b) => a.theirs - b.theirs);
  // Whichever is lower is what counts.
  compare({ ...figure, ...peers[0]! }, { atLeast: 0.5 });
  note({ ...figure, ...peers[1]! });
});

/** Milliseconds at the 99th percentile; says so when the asking side was not on time itself. */
function tail(name: string, { delays, lateness }: Paced): number {
  const late = percentile(lateness, 0.99);
  if (late > LATENESS_MS) console.warn(`${name}: the asking side was ${late.toFixed(1)} ms late at its own p99; the delay counts from when a request was due`);
  return percentile(delays, 0.99);
}

test('acknowledgements at a constant rate', async () => {
  const seen = { ours: [] as number[], theirs: [] as number[], share: [] as number[] };
  let refused = 0;
  const shot = { key: 0, request: 'GET /204 HTTP/1.1\r\nHost: peer\r\n\r\n' };
  const seconds = turn(5);
  for (let round = 0; round < ROUNDS; round += 1) {
    await beats.refill();
    await quiet(server.pid);
    const rush = await pace(server.url, RUSH, seconds, beats.next, beats.heard);
    // More than the server can take is a figure, not a fault.
    refused += beats.forgetRefused();
    seen.ours.push(tail('ours', rush));
    const idle = await pace(nginx.url, RUSH, turn(2), () => shot, () => undefined);
    seen.theirs.push(tail('nginx', idle));
    await beats.refill();
    await quiet(server.pid);
    const cpu = cpuSeconds(server.pid);
    await pace(server.url, USUAL, seconds, beats.next, beats.heard);
    seen.share.push(((cpuSeconds(server.pid) - cpu) / seconds) * 100);
    expectAcknowledged();
  }
  const delay = { what: `watch beats, p99 at ${RUSH} a second, constant`, unit: 'ms', ours: median(seen.ours) };
  limit(delay, { atMost: 20 });
  limit({ what: `watch beats at that rate, not acknowledged of ${RUSH * seconds * ROUNDS}`, unit: 'beats', ours: refused }, { atMost: 0 });
  note({ ...delay, beside: 'nginx, return 204: what the asking side itself adds', theirs: median(seen.theirs) });
  limit({ what: `watch beats, ${USUAL} a second`, unit: '% of a core', ours: median(seen.share) }, { atMost: 15 });
});

test('no acknowledged beat is lost when the process is killed', async () => {
  await beats.refill();
  const under = pace(server.url, USUAL, turn(4), beats.next, beats.heard);
  await new Promise((wait) => setTimeout(wait, turn(4) * 500));
  await server.crashAndRestart();
  await under;
  const database = sqlite(join(server.dataFolder, 'mini-webinar.db'), { readonly: true });
  const stored = database.prepare('SELECT lower(hex(view_id)) AS view, seq FROM beat').all() as { view: string; seq: number }[];
  database.close();
  const lost = beats.lost(stored);
  console.log(`${beats.acknowledged.size} beats acknowledged, ${stored.length} stored`);
  limit({ what: `watch beats lost, of ${beats.acknowledged.size} acknowledged, with a kill -9`, unit: 'beats', ours: lost }, { atMost: 0 });
  expect(lost).toBe(0);
});
