import { PrivacyGuard } from '../support/guards';
import { room } from '../support/pages';
import { confirmedCoach, publishedWebinar, registered, stranger, type WebinarStory } from '../support/story';
import { accessible, expect, settled, test } from '../support/test';

let webinar: WebinarStory;
test.beforeAll(async ({ browser, server }) => {
  const context = await browser.newContext({ baseURL: server.url });
  const page = await context.newPage();
  await confirmedCoach(page, server);
  webinar = await publishedWebinar(page);
  await context.close();
});

test('the recording really plays, and what was played reaches the server', async ({ page, context, server }) => {
  const guard = new PrivacyGuard(context, [server.url]);
  const { room: path } = await registered(page, server, webinar.slug, 'dev');
  const beats: { status: number; seq: number; from: number; to: number }[] = [];
  page.on('response', (response) => {
    if (!response.url().endsWith('/api/beats')) return;
    const beat = JSON.parse(response.request().postData() ?? '{}') as { seq: number; from: number; to: number };
    beats.push({ status: response.status(), seq: beat.seq, from: beat.from, to: beat.to });
  });
  await page.goto(path);
  await settled(page);
  expect(beats, 'nothing is measured before play').toEqual([]);
  await room.play(page);
  await expect.poll(() => room.time(page), { timeout: 15_000 }).toBeGreaterThan(1);
  const before = await room.frames(page);
  await expect.poll(() => room.frames(page), { message: 'frames advance' }).toBeGreaterThan(before);
  await room.video(page).evaluate((video: HTMLVideoElement) => video.pause());
  await expect.poll(() => beats.length, { timeout: 15_000 }).toBeGreaterThan(0);
  for (const beat of beats) {
    expect(beat.status).toBe(204);
    expect(beat.to).toBeGreaterThan(beat.from);
  }
  expect(new Set(beats.map((beat) => beat.seq)).size, 'every beat has its own number').toBe(beats.length);
  await guard.check(page);
});

test('another device resumes where she stopped', async ({ page, server, browser }) => {
  const { room: path } = await registered(page, server, webinar.slug, 'resume');
  await page.goto(path);
  await settled(page);
  await room.video(page).evaluate((video: HTMLVideoElement) => (video.currentTime = 60));
  await room.play(page);
  await expect.poll(() => room.time(page), { timeout: 15_000 }).toBeGreaterThan(62);
  const sent = page.waitForResponse((response) => response.url().endsWith('/api/beats') && response.status() === 204);
  await room.video(page).evaluate((video: HTMLVideoElement) => video.pause());
  await sent;

  const elsewhere = await stranger(browser, server);
  const second = await elsewhere.newPage();
  await second.goto(path);
  await settled(second);
  await expect(second.getByRole('button', { name: /^resume at 1:0\d$/i })).toBeVisible();
  await expect.poll(() => room.time(second), { message: 'the picture is there before play' }).toBeGreaterThan(59);
  await room.play(second);
  await expect.poll(() => room.time(second), { timeout: 15_000 }).toBeGreaterThan(62);
  await elsewhere.close();

  // Whoever presses the browser's own play, and no script ever comes.
  const plain = await stranger(browser, server, { javaScriptEnabled: false });
  const third = await plain.newPage();
  await third.goto(path);
  await expect.poll(() => room.time(third), { message: 'without script as well' }).toBeGreaterThan(59);
  await plain.close();
});

test('the keyboard reaches the player', async ({ page, server }) => {
  const { room: path } = await registered(page, server, webinar.slug, 'keys');
  await page.goto(path);
  await settled(page);
  await room.play(page);
  await expect.poll(() => room.time(page), { timeout: 15_000 }).toBeGreaterThan(0.5);
  await room.video(page).focus();
  await page.keyboard.press('Space');
  await expect.poll(() => room.video(page).evaluate((video: HTMLVideoElement) => video.paused)).toBe(true);
});

test('leaving the page sends the last seconds', async ({ page, server }) => {
  const { room: path } = await registered(page, server, webinar.slug, 'leaving');
  await page.goto(path);
  await settled(page);
  await room.play(page);
  await expect.poll(() => room.time(page), { timeout: 15_000 }).toBeGreaterThan(3);
  await page.goto('about:blank');
  // Chromium reports no request sent on leaving, so the server is asked: it goes on where she left.
  await expect
    .poll(async () => {
      await page.goto(path);
      const props = JSON.parse((await page.locator('#player-props').textContent()) ?? '{}') as { resume_seconds?: number };
      return props.resume_seconds ?? 0;
    })
    .toBeGreaterThan(1);
});

test('room and registration are accessible', async ({ page, server }) => {
  const { room: path } = await registered(page, server, webinar.slug, 'axe');
  await accessible(page);
  await page.goto(path);
  await settled(page);
  await accessible(page);
  await page.goto(`/w/${webinar.slug}`);
  await accessible(page);
});

test('a recording that cannot be loaded says so, however early it failed', async ({ page, server, consoleGuard }) => {
  consoleGuard.allow(/ERR_FAILED|Failed to load resource/);
  const { room: path } = await registered(page, server, webinar.slug, 'broken');
  await page.route('**/media/**', (route) => route.abort());
  // The script comes long after the error.
  await page.route('**/*.wasm', async (route) => {
    await expect.poll(() => page.locator('video').evaluate((video: HTMLVideoElement) => video.error !== null)).toBe(true);
    await route.continue();
  });
  await page.goto(path);
  await settled(page);
  await expect(page.getByText(/the recording could not be loaded/i)).toBeVisible();
});

test('skipping about is no lost connection', async ({ page, server }) => {
  const statuses: number[] = [];
  page.on('response', (response) => {
    if (response.url().endsWith('/api/beats')) statuses.push(response.status());
  });
  const { room: path } = await registered(page, server, webinar.slug, 'jumps');
  await page.goto(path);
  await settled(page);
  await room.play(page);
  await expect.poll(() => room.time(page), { timeout: 15_000 }).toBeGreaterThan(0.5);
  for (let jump = 1; jump <= 20; jump += 1) {
    const place = jump * 8;
    await room.video(page).evaluate((video: HTMLVideoElement, at) => (video.currentTime = at), place);
    await expect.poll(() => room.time(page), { timeout: 15_000 }).toBeGreaterThan(place + 0.1);
  }
  await expect(page.getByText(/cannot be reached/i)).toHaveCount(0);
  expect(statuses.length).toBeGreaterThan(0);
  expect(statuses.filter((status) => status !== 204)).toEqual([]);
});
