/** Pages as pictures: phone and desk, light and dark. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { open } from './pages';
import { accessible } from './test';

const FOLDER = 'test-results/screens';
const SIZES = [
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
];

/** A page in all four ways, with axe. Returns where it scrolls sideways. */
export async function shoot(page: Page, name: string, path: string): Promise<string[]> {
  mkdirSync(FOLDER, { recursive: true });
  const wide: string[] = [];
  for (const size of SIZES) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await open(page, path);
      await page.evaluate(() => document.fonts.ready);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      // As tall as the page, so that what sticks to the edge of the window stands where the page ends.
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ width: size.width, height: Math.max(height, size.height) });
      await page.screenshot({ path: join(FOLDER, `${name}-${size.width}-${colorScheme}.png`) });
      if (over > 0) wide.push(`${name} at ${size.width}: ${over} px too wide`);
      await accessible(page);
    }
  }
  return wide;
}

/** A mail as a mail program shows it: no page of ours around it, the widths phones and reading panes have. */
export async function shootMail(page: Page, name: string, html: string): Promise<string[]> {
  mkdirSync(FOLDER, { recursive: true });
  const wide: string[] = [];
  for (const width of [375, 700]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize({ width, height: 700 });
      await page.emulateMedia({ colorScheme });
      await page.goto('about:blank');
      await page.setContent(html);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      await page.screenshot({ path: join(FOLDER, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      if (over > 0) wide.push(`${name} at ${width}: ${over} px too wide`);
    }
  }
  return wide;
}
