import { button, field, fill } from '../support/pages';
import { confirmedCoach, publishedWebinar, registered, stranger, type WebinarStory } from '../support/story';
import { accessible, address, expect, test } from '../support/test';

// The coach's side needs JavaScript; the viewer's has it or has it blocked, by project.
let webinar: WebinarStory;
test.beforeAll(async ({ browser, server }) => {
  const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled: true });
  const page = await context.newPage();
  await confirmedCoach(page, server);
  webinar = await publishedWebinar(page);
  await context.close();
});

test('a viewer proves her address, sees everything, corrects it, and has it erased', async ({ browser, server }) => {
  const javaScriptEnabled = test.info().project.use.javaScriptEnabled !== false;
  const context = await stranger(browser, server, { javaScriptEnabled });
  const page = await context.newPage();
  const { email } = await registered(page, server, webinar.slug, 'karim');

  // The way in stands at the foot of every page of a webinar.
  await page.goto(`/w/${webinar.slug}`);
  await page.getByRole('link', { name: 'Your data' }).click();
  await accessible(page);
  await fill(page, { email });
  await button(page, /send me the mail/i).click();
  await expect(page.getByRole('heading', { name: /look into your mailbox/i })).toBeVisible();
  const mail = await server.mail(email, /open it with this mail/i);
  if (javaScriptEnabled) {
    const link = mail.text.match(/\S+\/my-data\/prove#\S+/)![0];
    server.neverLogged(link.split('#')[1]!);
    await page.goto(link);
    expect(new URL(page.url()).hash, 'the token does not stay in the address').toBe('');
    await accessible(page);
  } else {
    await fill(page, { code: mail.text.match(/\b\d{4} \d{4}\b/)![0] });
  }
  await button(page, /open my data/i).click();
  await expect(page.getByText(webinar.title).first()).toBeVisible();
  await expect(page.getByText(/one coach holds something/i)).toBeVisible();
  await accessible(page);
  const [cookie, ...others] = await context.cookies();
  expect(others).toEqual([]);
  expect(cookie).toMatchObject({ name: 'mw_portal', httpOnly: true, sameSite: 'Lax' });

  await page.getByRole('link', { name: /correct something/i }).click();
  await accessible(page);
  await field(page, 'name').fill('Karim Benali');
  await button(page, /^save$/i).click();
  await expect(page.getByRole('status').filter({ hasText: /corrected/i })).toBeVisible();
  await page.getByText(/every value/i).click();
  await expect(page.getByText('Karim Benali').first()).toBeVisible();

  await page.getByText(/object to a use/i).click();
  await page.getByLabel('measuring what is watched').check();
  await button(page, /^object$/i).click();
  await expect(page.getByText(/kept and not used/i).first()).toBeVisible();

  await page.getByRole('link', { name: /erase everything/i }).click();
  await accessible(page);
  await expect(page.getByText(/1 registration, with/)).toBeVisible();
  await button(page, /erase it for good/i).click();
  await expect(page.getByText(/being erased/i).first()).toBeVisible();
  // The worker is awake: within moments the row is gone. Somebody else's pages may just have been scrubbed, and then the
  // next time comes half a minute later, and the receipt with it.
  await server.advance(60);
  await server.mail(email, /receipt/i);
  await page.goto('/my-data');
  await expect(page.getByText(/no coach holds anything/i)).toBeVisible();
  await expect(page.getByRole('link', { name: 'Receipt', exact: true })).toBeVisible();
  await button(page, /close it now/i).click();
  await expect(page.getByRole('heading', { name: 'Your data' })).toBeVisible();
  expect(await context.cookies()).toEqual([]);
  await context.close();
});

test('a known and an unknown address get the same page', async ({ page, server }) => {
  const { email } = await registered(page, server, webinar.slug, 'lena');
  const answer = async (typed: string) => {
    const response = await page.request.post('/my-data', { form: { email: typed }, headers: { origin: server.url } });
    return { status: response.status(), body: (await response.text()).replaceAll(typed, 'ADDRESS') };
  };
  expect(await answer(email)).toEqual(await answer(address('nobody')));
});
