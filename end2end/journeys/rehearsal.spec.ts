/** A coach plays a journey through before anybody takes it: every page, mail and moment in order, and nothing left behind. */
import { button, fill, open } from '../support/pages';
import { confirmedCoach, publishedWebinar } from '../support/story';
import { accessible, expect, test } from '../support/test';

const hasScript = () => test.info().project.use.javaScriptEnabled !== false;

test('somebody made up goes through everything, and nobody is counted or written to', async ({ page, server, consoleGuard }) => {
  // This test looks into the frame of a mail, in which nothing may run.
  consoleGuard.allow(/Blocked script execution in .*preview/);
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page);
  await open(page, `/dashboard/webinars/${webinar.id}/times`);
  await fill(page.locator('form.rule'), { kind: 'daily', at: '18:00', zone: 'Europe/Paris' });
  await button(page.locator('form.rule'), /^add$/i).click();
  await expect(page.locator('.rules li').last()).toBeVisible();

  await open(page, `/dashboard/webinars/${webinar.id}`);
  await page.getByRole('navigation', { name: 'This webinar' }).getByRole('link', { name: 'Rehearsal' }).click();
  await expect(page.locator('.scenes li').first()).toContainText(/several times/i);
  await accessible(page);
  const figure = page.locator('form.figure');
  await fill(figure, { name: 'Noor', zone: 'America/New_York', manner: 'comes', late: '5', leaves: '1', back: '24' });
  await button(figure, /rehearse/i).click();
  await expect(page).toHaveURL(/zone=America%2FNew_York|zone=America\/New_York/);
  const scenes = page.locator('.scenes');
  await expect(scenes).toContainText('New York');
  await expect(scenes).toContainText(/They press play/);
  await expect(scenes).toContainText(/They come back, press play, and go on where they left, at 1:00/);
  await expect(scenes).toContainText(/The outcome is final/);
  await expect(scenes).toContainText(/Not sent: /);
  const mails = await scenes.locator('li.mail').count();
  expect(mails).toBeGreaterThan(2);

  if (hasScript()) {
    const clock = page.getByRole('slider', { name: /clock/i });
    await clock.focus();
    await clock.press('Home');
    await expect(scenes.locator('li[aria-current]')).toHaveCount(1);
    await expect(scenes.locator('li').first()).toHaveAttribute('aria-current', 'step');
    await clock.press('ArrowRight');
    await expect(scenes.locator('li').nth(1)).toHaveAttribute('aria-current', 'step');
    await scenes.locator('li.mail').first().getByRole('button', { name: /see the mail/i }).click();
    await expect(page.frameLocator('iframe.mail').locator('body')).toContainText(webinar.title);
  }
  // No trace of it in what is real.
  await open(page, `/dashboard/webinars/${webinar.id}/registrants`);
  await expect(page.locator('tbody tr')).toHaveCount(0);
  const sent = await server.mailbox();
  expect(sent.filter((mail) => mail.subject.includes(webinar.title))).toEqual([]);
});
