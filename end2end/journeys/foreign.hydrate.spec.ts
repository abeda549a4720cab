/** Upload clients and a reader of calendars nobody here wrote, unmodified. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { SECONDS_TO_FILL_A_FORM, button, editor, fill, open } from '../support/pages';
import { confirmedCoach, publishedWebinar } from '../support/story';
import { address, expect, test } from '../support/test';
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

test('a reader of calendars understands the entry that comes by mail', async ({ page, server }) => {
  test.skip(!existsSync(python), 'the reader is not installed; see the messages of set-up');
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page, { title: 'Atmen, sprechen; zuhören – مرحبا بكم في هذا التسجيل الطويل' });
  await open(page, `/dashboard/webinars/${webinar.id}/times`);
  await fill(page.locator('form.rule'), { kind: 'daily', at: '18:00', zone: 'Asia/Kathmandu' });
  await button(page.locator('form.rule'), /^add$/i).click();
  await expect(page.locator('.rules li')).toHaveCount(1);
  await page.goto(`/w/${webinar.slug}?zone=Asia/Kathmandu`);
  await page.locator('.slots input[type=radio]').nth(1).check();
  const email = address('anna');
  await fill(page, { email, consent: true });
  await server.advance(SECONDS_TO_FILL_A_FORM);
  await button(page, /^register$/i).click();
  const mail = await server.mail(email, /your link/i);
  const read = run(python, [resolve('../.ci/foreign/read_calendar.py')]);
  read.child.stdin!.end(mail.attachments[0]!.content);
  const calendar = JSON.parse((await read).stdout);
  expect(calendar).toMatchObject({ method: 'REQUEST', errors: [], alarms: [-10] });
  expect(calendar.events).toHaveLength(1);
  expect(calendar.events[0]).toMatchObject({ sequence: 0, summary: webinar.title, class: 'PRIVATE', minutes: 15 });
  expect(calendar.events[0].starts_at).toMatch(/T12:15:00\+00:00$/);
  expect(mail.text).toContain(calendar.events[0].url);
});
