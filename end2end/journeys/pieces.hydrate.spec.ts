/** The studio's code comes in pieces: each page brings its own, once, and a piece that is lost says so. */
import { open } from '../support/pages';
import { confirmedCoach } from '../support/story';
import { expect, test } from '../support/test';

test('a page fetches its own piece, and once', async ({ page, server }) => {
  await confirmedCoach(page, server);
  const pieces: string[] = [];
  page.on('request', (request) => {
    const piece = /\/pkg\/frontend_(\w+)\.[0-9a-f]+\.bin$/.exec(request.url())?.[1];
    if (piece) pieces.push(piece);
  });
  await open(page, '/dashboard');
  expect(pieces, 'nothing of other pages').toEqual(['webinars']);
  const account = page.getByRole('navigation', { name: 'Studio' }).getByRole('link').last();
  await account.click();
  await expect(page.getByRole('heading', { name: 'Account', level: 1 })).toBeVisible();
  await page.getByRole('link', { name: 'Webinars' }).click();
  await expect(page.getByRole('heading', { name: 'Webinars', level: 1 })).toBeVisible();
  await account.click();
  await expect(page.getByRole('heading', { name: 'Account', level: 1 })).toBeVisible();
  expect(pieces).toEqual(['webinars', 'account']);
});

test('a piece that does not arrive is said, and the page can be tried again', async ({ page, server, consoleGuard }) => {
  await confirmedCoach(page, server);
  await open(page, '/dashboard');
  consoleGuard.allow(/Failed to load resource|Failed to fetch|the piece account did not arrive/);
  await page.route('**/pkg/frontend_account.*', (route) => route.abort());
  await page.getByRole('navigation', { name: 'Studio' }).getByRole('link').last().click();
  await expect(page.getByRole('heading', { name: 'This page did not arrive' })).toBeVisible();
  await page.unroute('**/pkg/frontend_account.*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('heading', { name: 'Account', level: 1 })).toBeVisible();
});
