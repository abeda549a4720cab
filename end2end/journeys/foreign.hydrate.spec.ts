/** Upload clients nobody here wrote, unmodified. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { editor } from '../support/pages';
import { confirmedCoach } from '../support/story';
import { expect, test } from '../support/test';
import { SAMPLE_VIDEO } from '../support/tus';

const run = promisify(execFile);
const python = join(process.env.MW_FOREIGN ?? '', 'bin/python');
const CLIENTS = [
  { name: 'tus-js-client', command: process.execPath, script: resolve('foreign/tus-js.mjs'), there: true },
  { name: 'tuspy', command: python, script: resolve('../.ci/foreign/tuspy_upload.py'), there: existsSync(python) },
];

for (const client of CLIENTS) {
  test(`${client.name} uploads, breaks off, and goes on`, async ({ page, context, server }) => {
    test.skip(!client.there, 'the client is not installed; see the messages of set-up');
    await confirmedCoach(page, server);
    const id = await editor.create(page, `By ${client.name}`);
    const cookie = (await context.cookies()).map((held) => `${held.name}=${held.value}`).join('; ');
    const words = [client.script, `${server.url}/uploads`, cookie, SAMPLE_VIDEO, 'filename=session.mp4', 'filetype=video/mp4', `webinar=${id}`];
    const chunk = ['--chunk', String(256 * 1024)];
    const begun = (await run(client.command, [...words, ...chunk, '--stop-after', String(1024 * 1024)])).stdout.trim();
    expect(begun).toContain('/uploads/');
    const ended = (await run(client.command, [...words, ...chunk, '--resume', begun])).stdout.trim();
    expect(ended).toBe(begun);
    await editor.open(page, id);
    await expect(page.locator('video').first()).toBeVisible();
  });
}
