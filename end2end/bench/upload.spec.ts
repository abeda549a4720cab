/** Resumable uploads, beside the reference server and a plain copy that reaches the disk. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { metadata } from '../support/tus';
import { QUICK, ROUNDS, compare, limit } from './ledger';
import { cpuSeconds, median, peakBytes, quiet } from './measure';
import { Peer } from './peers';
import { pinned } from './pinned';
import { MIB, expect, grown, test } from './stage';

const MEGABYTES = QUICK ? 16 : 512;

interface Sent {
  /** Megabytes a second, from the creation to the last acknowledgement. */
  speed: number;
  cpu: number;
}

/** Creates an upload and sends the whole file in one request. */
async function send(pid: number, endpoint: string, body: Buffer, headers: Record<string, string>, values: Record<string, string>): Promise<Sent> {
  const tus = { ...headers, 'Tus-Resumable': '1.0.0' };
  const cpu = cpuSeconds(pid);
  const started = performance.now();
  const created = await fetch(endpoint, { method: 'POST', headers: { ...tus, 'Upload-Length': String(body.length), 'Upload-Metadata': metadata(values) } });
  expect(created.status).toBe(201);
  const status = await new Promise<number>((done, fail) => {
    const request = http.request(
      new URL(created.headers.get('location')!, endpoint),
      { method: 'PATCH', headers: { ...tus, 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream', 'Content-Length': body.length } },
      (answer) => {
        answer.resume();
        answer.on('end', () => done(answer.statusCode ?? 0));
      },
    );
    request.on('error', fail);
    request.end(body);
  });
  expect(status).toBe(204);
  return { speed: body.length / 1e6 / ((performance.now() - started) / 1000), cpu: cpuSeconds(pid) - cpu };
}

/** Megabytes a second of a copy that is on disk when it ends, on the server's core. */
function copied(from: string, to: string): number {
  const started = performance.now();
  execFileSync(...pinned('dd', [`if=${from}`, `of=${to}`, 'bs=1M', 'conv=fsync', 'status=none']));
  return statSync(from).size / 1e6 / ((performance.now() - started) / 1000);
}

/** Nobody pays for what another left to be written. */
const settleDisk = (): void => void execFileSync('sync');

test('resumable upload', async ({ server, stage }) => {
  const file = grown(mkdtempSync(join(stage.folder, 'upload-')), MEGABYTES);
  const body = readFileSync(file);
  const peerFolder = mkdtempSync(join(stage.folder, 'tus-'));
  const peer = await Peer.start('tus.mjs', (port) => [String(port), peerFolder]);
  const seen = { ours: [] as Sent[], theirs: [] as Sent[], disk: [] as number[] };
  const before = peakBytes(server.pid);
  for (let round = 0; round < ROUNDS; round += 1) {
    settleDisk();
    seen.ours.push(await send(server.pid, `${server.url}/uploads`, body, { Cookie: stage.cookie }, { filename: 'session.mp4', filetype: 'video/mp4', webinar: stage.webinar.id }));
    // The recording is looked at after it was taken; that is no part of taking it.
    await quiet(server.pid);
    settleDisk();
    seen.theirs.push(await send(peer.pid, `${peer.url}/files`, body, {}, { filename: 'session.mp4' }));
    settleDisk();
    seen.disk.push(copied(file, join(stage.folder, 'copy.out')));
    rmSync(join(stage.folder, 'copy.out'));
    rmSync(peerFolder, { recursive: true });
    mkdirSync(peerFolder);
  }
  peer.stop();
  const speed = { what: 'resumable upload', unit: 'MB / s', ours: median(seen.ours.map((sent) => sent.speed)) };
  const cpu = { what: 'resumable upload', unit: `CPU s for ${MEGABYTES} MiB`, ours: median(seen.ours.map((sent) => sent.cpu)) };
  compare({ ...speed, beside: '@tus/server', theirs: median(seen.theirs.map((sent) => sent.speed)) }, { atLeast: 2 });
  compare({ ...cpu, beside: '@tus/server', theirs: median(seen.theirs.map((sent) => sent.cpu)) }, { atMost: 0.5 });
  compare({ ...speed, beside: 'dd conv=fsync', theirs: median(seen.disk) }, { atLeast: 0.9 });
  limit({ what: 'resumable upload, added to the peak of memory', unit: 'MiB', ours: (peakBytes(server.pid) - before) / MIB }, { atMost: 64 });
});
