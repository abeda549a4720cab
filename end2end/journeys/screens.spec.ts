/** Every page as a picture: phone and desk, light and dark, empty and full. Fails on sideways scrolling and on axe. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { open } from '../support/pages';
import { confirmedCoach, publishedWebinar, registered, stranger } from '../support/story';
import { accessible, expect, test } from '../support/test';

const FOLDER = 'test-results/screens';
const SIZES = [
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
];

async function shoot(page: Page, name: string, path: string): Promise<string[]> {
  mkdirSync(FOLDER, { recursive: true });
  const wide: string[] = [];
  for (const size of SIZES) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await open(page, path);
      await page.evaluate(() => document.fonts.ready);
      await page.screenshot({ path: join(FOLDER, `${name}-${size.width}-${colorScheme}.png`), fullPage: true });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (over > 0) wide.push(`${name} at ${size.width}: ${over} px too wide`);
      await accessible(page);
    }
  }
  return wide;
}

test('pages anyone can open', async ({ page }) => {
  test.setTimeout(180_000);
  const wide: string[] = [];
  for (const [name, path] of [
    ['home', '/'],
    ['signup', '/signup'],
    ['login', '/login'],
    ['reset', '/reset'],
    ['terms', '/terms'],
    ['kit', '/dev/kit'],
  ] as const) {
    await test.step(name, async () => void wide.push(...(await shoot(page, name, path))));
  }
  expect(wide).toEqual([]);
});

test('pages of a coach, empty and with somebody there', async ({ page, browser, server }) => {
  test.setTimeout(300_000);
  const wide: string[] = [];
  await confirmedCoach(page, server);
  for (const [name, path] of [
    ['dashboard-empty', '/dashboard'],
    ['webinars-empty', '/dashboard/webinars'],
    ['account', '/dashboard/account'],
  ] as const) {
    wide.push(...(await shoot(page, name, path)));
  }
  const webinar = await publishedWebinar(page, {
    title: 'Donaudampfschifffahrtsgesellschaftskapitänsmützen und was wir daraus für das erste Gespräch lernen',
    description: 'What the first week decides.\n\n- one question\n- one pause\n\nمرحبا بكم في هذا التسجيل',
  });
  const visitor = await stranger(browser, server, { javaScriptEnabled: true });
  const visit = await visitor.newPage();
  wide.push(...(await shoot(visit, 'registration', `/w/${webinar.slug}`)));
  wide.push(...(await shoot(visit, 'embed', `/w/${webinar.slug}/embed`)));
  const { room } = await registered(visit, server, webinar.slug, 'a.very.long.name.that.somebody.really.has');
  wide.push(...(await shoot(visit, 'room', room)));
  await visitor.close();
  for (const [name, path] of [
    ['dashboard', '/dashboard'],
    ['webinars', '/dashboard/webinars'],
    ['editor', `/dashboard/webinars/${webinar.id}`],
    ['results', `/dashboard/webinars/${webinar.id}/results`],
    ['registrants', `/dashboard/webinars/${webinar.id}/registrants`],
  ] as const) {
    wide.push(...(await shoot(page, name, path)));
  }
  await open(page, `/dashboard/webinars/${webinar.id}/registrants`);
  const person = await page.locator('a[href*="/registrants/"]').first().getAttribute('href');
  if (person) wide.push(...(await shoot(page, 'registrant', person)));
  expect(wide).toEqual([]);
});

test('pages for people who are lost', async ({ page, consoleGuard }) => {
  consoleGuard.allow(/status of 4\d\d/);
  const wide = [
    ...(await shoot(page, 'missing', '/w/there-is-no-such-webinar')),
    ...(await shoot(page, 'missing-page', '/there-is-no-such-page')),
  ];
  expect(wide).toEqual([]);
});
