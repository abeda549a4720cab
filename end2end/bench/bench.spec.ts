/**
 * Side by side in one run: A, B, A, B … on the server's core, load from the other one, medians of five rounds. What is
 * compared is CPU seconds per unit of work; absolute times say more about the machine.
 */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, copyFileSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '../support/server';
import { confirmedCoach, publishedWebinar, registered, stranger, type WebinarStory } from '../support/story';
import { expect, test } from '../support/test';
import { SAMPLE_VIDEO, metadata, upload } from '../support/tus';
import { ask, cpuSeconds, dice, many, median, peakBytes, quiet, type Answer } from './measure';
import { Nginx } from './nginx';

const ROUNDS = 5;
const CORE = process.env.MW_BENCH_CORE ?? '0';
const MIB = 1024 * 1024;

interface Line {
  what: string;
  ours: number;
  peer: string;
  theirs: number;
  unit: string;
  ratio: number;
  goal: string;
  met: boolean;
}
const lines: Line[] = [];

function record(what: string, unit: string, ours: number, peer: string, theirs: number, goal: number, better: 'less' | 'more'): void {
  const ratio = ours / theirs;
  lines.push({ what, ours, peer, theirs, unit, ratio, goal: `${better === 'less' ? '≤' : '≥'} ${goal}`, met: better === 'less' ? ratio <= goal : ratio >= goal });
}

/** The sample recording, grown by a `free` box that players skip. */
function grown(folder: string, megabytes: number): string {
  const file = join(folder, 'session.mp4');
  copyFileSync(SAMPLE_VIDEO, file);
  const out = openSync(file, 'a');
  const head = Buffer.alloc(MIB);
  head.writeUInt32BE(megabytes * MIB, 0);
  head.write('free', 4, 'latin1');
  writeSync(out, head);
  for (let written = 1; written < megabytes; written += 1) writeSync(out, Buffer.alloc(MIB, written));
  closeSync(out);
  return file;
}

let folder: string;
let webinar: WebinarStory;
let media: string;
let cookie: string;

test.beforeAll(async ({ browser, server }) => {
  folder = mkdtempSync(join(tmpdir(), 'mini-webinar-bench-'));
  const context = await browser.newContext({ baseURL: server.url });
  const page = await context.newPage();
  await confirmedCoach(page, server);
  webinar = await publishedWebinar(page);
  await upload(page.request, webinar.id, grown(folder, 256));
  cookie = (await context.cookies()).map((held) => `${held.name}=${held.value}`).join('; ');
  const visitor = await stranger(browser, server, { javaScriptEnabled: false });
  const visit = await visitor.newPage();
  const { room } = await registered(visit, server, webinar.slug);
  await quiet(server.pid);
  await visit.goto(room);
  const video = visit.locator('video').first();
  const address = (await video.getAttribute('src')) ?? (await video.locator('source').first().getAttribute('src'));
  media = new URL(address!, server.url).href;
  // What is served may have been rewritten for a faster start: the peer serves the same bytes.
  const whole = await fetch(media);
  writeFileSync(join(folder, 'served.mp4'), Buffer.from(await whole.arrayBuffer()));
  await context.close();
  await visitor.close();
});

test.afterAll(() => {
  if (lines.length > 0) {
    const shown = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
    console.table(lines.map((line) => ({ ...line, ours: shown(line.ours), theirs: shown(line.theirs), ratio: line.ratio.toFixed(2) })));
    const results = resolve('test-results');
    mkdirSync(results, { recursive: true });
    writeFileSync(join(results, 'bench.json'), JSON.stringify(lines, null, 2));
  }
  rmSync(folder, { recursive: true, force: true });
});

test('ranges are the same bytes as nginx serves', async () => {
  const nginx = await Nginx.start(folder, 'off', CORE);
  const size = statSync(join(folder, 'served.mp4')).size;
  const roll = dice(7);
  const differences: string[] = [];
  await many(8, 10_000, async (agent) => {
    const at = roll(size);
    const length = 1 + roll(64 * 1024);
    const range = [
      `bytes=${at}-${at + length}`,
      `bytes=${at}-${at + length}`,
      `bytes=-${length}`,
      `bytes=${size - length}-`,
      `bytes=${size + roll(1000)}-`,
      `bytes=${at}-${at + 100},${roll(size)}-${size + 5}`.replace(/,(\d+)-\d+$/, (_all, from: string) => `,${from}-${Number(from) + 50}`),
      `bytes=${at + 5}-${at}`,
    ][roll(7)]!;
    const [ours, theirs] = await Promise.all([ask(agent, media, { range }, true), ask(agent, `${nginx.url}/served.mp4`, { range }, true)]);
    if (essence(ours) !== essence(theirs)) differences.push(`${range}: ${essence(ours).slice(0, 80)} against ${essence(theirs).slice(0, 80)}`);
  });
  nginx.stop();
  expect(differences.slice(0, 5), `${differences.length} of 10,000 differ`).toEqual([]);
});

/** What a client gets, whatever the boundary between parts is called. */
function essence(answer: Answer): string {
  const boundary = /boundary=([^;]+)/.exec(answer.headers['content-type'] ?? '')?.[1];
  if (!boundary) return `${answer.status} ${answer.headers['content-range'] ?? ''} ${answer.status === 206 ? answer.body.toString('base64') : ''}`;
  const parts = answer.body.toString('latin1').split(`--${boundary}`).slice(1, -1);
  return `${answer.status} ${parts.map((part) => `${/content-range: (.*)/i.exec(part)?.[1]?.trim()} ${part.slice(part.indexOf('\r\n\r\n') + 4)}`).join('|')}`;
}

test('byte ranges of video', async ({ server }) => {
  test.setTimeout(600_000);
  const peers = { off: await Nginx.start(folder, 'off', CORE), on: await Nginx.start(folder, 'on', CORE) };
  const size = statSync(join(folder, 'served.mp4')).size;
  const chunk = Math.min(MIB, Math.floor(size / 2));
  const requests = 2048;
  const cost = async (pid: number, url: string): Promise<number> => {
    const roll = dice(11);
    const before = cpuSeconds(pid);
    let bytes = 0;
    await many(4, requests, async (agent) => {
      const from = roll(size - chunk);
      bytes += (await ask(agent, url, { range: `bytes=${from}-${from + chunk - 1}` })).bytes;
    });
    expect(bytes).toBe(requests * chunk);
    return (cpuSeconds(pid) - before) / (bytes / 1024 ** 3);
  };
  const seen = { ours: [] as number[], off: [] as number[], on: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    seen.ours.push(await cost(server.pid, media));
    seen.off.push(await cost(peers.off.pid, `${peers.off.url}/served.mp4`));
    seen.on.push(await cost(peers.on.pid, `${peers.on.url}/served.mp4`));
  }
  peers.off.stop();
  peers.on.stop();
  record('byte ranges', 'CPU s / GiB', median(seen.ours), 'nginx, sendfile off', median(seen.off), 1.25, 'less');
  record('byte ranges', 'CPU s / GiB', median(seen.ours), 'nginx, sendfile on', median(seen.on), 2, 'less');
});

test('a server-rendered page with its query', async ({ server }) => {
  test.setTimeout(300_000);
  const page = `${server.url}/w/${webinar.slug}`;
  writeFileSync(join(folder, 'page.html'), Buffer.from(await (await fetch(page)).arrayBuffer()));
  const nginx = await Nginx.start(folder, 'off', CORE);
  const requests = 3000;
  const perSecond = async (pid: number, url: string): Promise<number> => {
    const before = cpuSeconds(pid);
    await many(8, requests, async (agent) => expect((await ask(agent, url, {})).status).toBe(200));
    return requests / (cpuSeconds(pid) - before);
  };
  const seen = { ours: [] as number[], theirs: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    seen.ours.push(await perSecond(server.pid, page));
    seen.theirs.push(await perSecond(nginx.pid, `${nginx.url}/page.html`));
  }
  nginx.stop();
  record('registration page', 'pages / CPU s', median(seen.ours), 'nginx, the same bytes as a file', median(seen.theirs), 0.4, 'more');
});

test('resumable upload', async ({ server }) => {
  test.setTimeout(900_000);
  const megabytes = 512;
  const file = grown(mkdtempSync(join(folder, 'upload-')), megabytes);
  const bytes = statSync(file).size;
  const peerFolder = mkdtempSync(join(folder, 'tus-'));
  const port = await freePort();
  const peer = spawn('taskset', ['-c', CORE, process.execPath, resolve('bench/peer-tus.mjs'), String(port), peerFolder], { stdio: 'inherit' });
  const peerUrl = `http://127.0.0.1:${port}/files`;
  for (let tries = 0; !(await fetch(peerUrl, { method: 'OPTIONS' }).then(() => true, () => false)); tries += 1) {
    if (tries > 100) throw new Error('the reference tus server did not start');
    await new Promise((wake) => setTimeout(wake, 100));
  }
  const body = readFileSync(file);
  const send = async (pid: number, endpoint: string, headers: Record<string, string>, values: Record<string, string>) => {
    const cpu = cpuSeconds(pid);
    const started = performance.now();
    const created = await fetch(endpoint, { method: 'POST', headers: { ...headers, 'Tus-Resumable': '1.0.0', 'Upload-Length': String(bytes), 'Upload-Metadata': metadata(values) } });
    expect(created.status).toBe(201);
    const target = new URL(created.headers.get('location')!, endpoint);
    const status = await new Promise<number>((done, fail) => {
      const request = http.request(
        target,
        { method: 'PATCH', headers: { ...headers, 'Tus-Resumable': '1.0.0', 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream', 'Content-Length': bytes } },
        (answer) => {
          answer.resume();
          answer.on('end', () => done(answer.statusCode ?? 0));
        },
      );
      request.on('error', fail);
      request.end(body);
    });
    expect(status).toBe(204);
    return { speed: bytes / 1e6 / ((performance.now() - started) / 1000), cpu: cpuSeconds(pid) - cpu };
  };
  const seen = { ours: [] as number[], theirs: [] as number[], oursCpu: [] as number[], theirsCpu: [] as number[], disk: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const ours = await send(server.pid, `${server.url}/uploads`, { Cookie: cookie }, { filename: 'session.mp4', filetype: 'video/mp4', webinar: webinar.id });
    await quiet(server.pid);
    const theirs = await send(peer.pid!, peerUrl, {}, { filename: 'session.mp4' });
    const started = performance.now();
    execFileSync('dd', [`if=${file}`, `of=${join(folder, 'dd.out')}`, 'bs=1M', 'conv=fsync', 'status=none']);
    seen.disk.push(bytes / 1e6 / ((performance.now() - started) / 1000));
    seen.ours.push(ours.speed);
    seen.theirs.push(theirs.speed);
    seen.oursCpu.push(ours.cpu);
    seen.theirsCpu.push(theirs.cpu);
  }
  peer.kill();
  record('upload', 'MB / s', median(seen.ours), '@tus/server', median(seen.theirs), 2, 'more');
  record('upload', 'CPU s for 512 MiB', median(seen.oursCpu), '@tus/server', median(seen.theirsCpu), 0.5, 'less');
  record('upload', 'MB / s', median(seen.ours), 'dd conv=fsync', median(seen.disk), 0.9, 'more');
  console.log(`largest resident size of the server so far: ${(peakBytes(server.pid) / MIB).toFixed(0)} MiB`);
});
