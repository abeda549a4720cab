import { cache } from 'react';
import { notFound } from 'next/navigation';
import { invitation } from '../../../../catalogue.js';

export const dynamic = 'force-dynamic';

/** Asked for the title and for the page, read once. */
const read = cache((slug) => invitation(slug) ?? notFound());

const sentence = (webinar) => `This is a recording, ${webinar.duration_minutes} minutes, recorded ${webinar.recorded}.`;

export async function generateMetadata({ params }) {
  const webinar = read((await params).slug);
  return { title: webinar.title, description: sentence(webinar) };
}

function Field({ id, name, label, kind, autocomplete, direction, required }) {
  return (
    <div className="field">
      <label htmlFor={id}>
        {label}
        {!required && <span className="quiet"> (optional)</span>}
      </label>
      <input id={id} name={name} type={kind} autoComplete={autocomplete} dir={direction} required={required} />
    </div>
  );
}

function RegistrationForm({ webinar }) {
  return (
    <form className="registration-form" method="post" action={`/w/${webinar.slug}`} noValidate>
      <h2>Register</h2>
      <Field id="register-email" name="email" label="E-mail address" kind="email" autocomplete="email" direction="ltr" required />
      {webinar.fields.map((field) => (
        <Field key={field.name} id={`register-${field.name}`} direction="auto" {...field} required={!!field.required} />
      ))}
      <div className="field consent">
        <input id="register-consent" name="consent" type="checkbox" value="yes" required />
        <label htmlFor="register-consent" dir="auto">{webinar.consent_text}</label>
      </div>
      <div className="not-for-people" aria-hidden="true">
        <label htmlFor="register-website">Please leave this empty</label>
        <input id="register-website" name="website" type="text" tabIndex="-1" autoComplete="off" />
      </div>
      <input type="hidden" name="form_stamp" value={webinar.form_stamp} />
      <input type="hidden" name="source" value="" />
      <button className="button primary" type="submit">Register and watch</button>
      <p className="data-note">
        Your details and which parts of the recording you play are kept for <span dir="auto">{webinar.presenter}</span>, who runs this webinar.
        <br />
        No cookies, no advertising, nobody else looks on.
      </p>
    </form>
  );
}

function LinkAgain({ slug }) {
  return (
    <details className="link-again">
      <summary>Registered before? Get your link again</summary>
      <form method="post" action={`/w/${slug}/link`} noValidate>
        <Field id="link-email" name="email" label="The address you registered with" kind="email" autocomplete="email" direction="ltr" required />
        <button className="button" type="submit">Send me my link</button>
      </form>
    </details>
  );
}

export default async function Page({ params }) {
  const webinar = read((await params).slug);
  return (
    <>
      <header className="brand">
        <span className="brand-name" dir="auto">{webinar.presenter}</span>
      </header>
      <main className="invitation" id="content">
        <div className="invitation-about">
          <h1 dir="auto">{webinar.title}</h1>
          <p className="presenter">
            with <span dir="auto">{webinar.presenter}</span>
          </p>
          <p className="recording-note">
            {sentence(webinar)}
            <br />
            Watch it whenever you like{webinar.has_captions ? ', with captions' : ''}; pause, go back, go on later on another device.
          </p>
          <img className="invitation-poster" src={webinar.poster_url} alt="" width="1280" height="720" fetchPriority="high" />
          <div className="prose" dir="auto" dangerouslySetInnerHTML={{ __html: webinar.description_html }} />
        </div>
        <div className="invitation-side">
          <RegistrationForm webinar={webinar} />
          <LinkAgain slug={webinar.slug} />
        </div>
      </main>
      <footer className="viewer-footer">
        <a href="/terms" rel="noopener">Terms</a>
        <span>Made with Mini Webinar</span>
      </footer>
    </>
  );
}
